/**
 * Has npm's scripts find the Node 24 that npm installed for this platform, which npm before 11 does not link where the
 * lock file has it for others as well. Where there is none for this platform, the system's has to be as new. Plain
 * JavaScript, since an older Node runs this.
 */
import { existsSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import { fileURLToPath } from "node:url";

const oldest = 24;
const { version, platform, arch } = process;
const name = `node-${platform}-${arch}`;
const modules = fileURLToPath(new URL("../node_modules", import.meta.url));
const link = `${modules}/.bin/node`;

if (existsSync(`${modules}/${name}/bin/node`)) {
  if (!existsSync(link)) {
    mkdirSync(`${modules}/.bin`, { recursive: true });
    rmSync(link, { force: true });
    symlinkSync(`../${name}/bin/node`, link);
  }
} else if (Number.parseInt(version.slice(1), 10) < oldest) {
  console.error(
    `error: everything here runs on Node ${oldest} or newer; npm ci brought none for ${platform}-${arch}, and PATH has ${version}: install Node ${oldest}, and run "npm ci" again`,
  );
  process.exitCode = 1;
}
