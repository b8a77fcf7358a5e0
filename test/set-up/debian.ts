/** What `npm run test:node` needs of Debian: installed where it is missing, as root, and said beforehand. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { runCommand } from "../fixtures/run-command.ts";
import { missingOf, wanted } from "./debian-packages.ts";

/** Programs are wanted, not their services: whoever installs packages asks this file first whether to start any. */
const policy = "/usr/sbin/policy-rc.d";

async function apt(...args: readonly string[]): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const child = spawn("apt-get", args, { env, stdio: ["ignore", "ignore", "inherit"] });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code !== 0) throw new Error(`apt-get ${args.join(" ")} failed`);
}

async function install(missing: readonly string[]): Promise<void> {
  const ours = !existsSync(policy);
  if (ours) await writeFile(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    await apt("update", "-qq");
    await apt("install", "-y", "-qq", "--no-install-recommends", ...missing);
  } finally {
    if (ours) await rm(policy);
  }
}

async function setUp(): Promise<void> {
  const query = ["dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\\n", ...wanted];
  const said = await runCommand(query).catch(() => undefined);
  if (said === undefined || process.getuid?.() !== 0) {
    throw new Error(
      "npm run test:node wants Debian and root: it starts containers and a node, and installs by apt what is missing of " +
        `${wanted.join(" ")}. An ordinary user can run "npm test"`,
    );
  }
  const missing = missingOf(said.stdout);
  if (missing.length === 0) return;
  console.log(`installing by apt (at most 55 MB to fetch): ${missing.join(" ")}`);
  await install(missing);
}

await setUp().catch((error: unknown) => {
  console.error(`error: ${(error as Error).message}`);
  process.exitCode = 1;
});
