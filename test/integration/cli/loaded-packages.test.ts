import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCommand } from "../../fixtures/run-command.ts";

/** Prints the loaded packages in one line at the exit. */
const watcher = `
import { registerHooks } from "node:module";
const packages = new Set();
registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context);
    const found = /node_modules[/]((?:@[^/]+[/])?[^/]+)/.exec(resolved.url);
    if (found !== null) packages.add(found[1]);
    return resolved;
  },
});
process.on("exit", () => console.error("loaded: " + [...packages].sort().join(" ")));
`;

const skill = "examples/skills/incident-summary";
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "skill-admission-loaded-"));
  await writeFile(join(folder, "watcher.mjs"), watcher);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Packages that a call of the program loads, beside those of Node. */
async function loadedBy(args: readonly string[]): Promise<readonly string[]> {
  const { stderr } = await runCommand([
    ...[process.execPath, "--import", join(folder, "watcher.mjs")],
    ...["dist/main.js", ...args],
  ]);
  const line = stderr.split("\n").find((one) => one.startsWith("loaded: "));
  if (line === undefined) throw new Error(`nothing was told of what was loaded: ${stderr}`);
  return line.slice("loaded: ".length).split(" ");
}

// A third of the time of such a call, which build pipelines make once a skill.
describe("verify", () => {
  it("loads the schemas of resources where it reads some", async () => {
    expect(await loadedBy(["verify", skill, "--policy", "examples/vett/policy.yaml"])).toContain("zod");
  });

  it("loads none where a key is all that it is given", async () => {
    const packages = await loadedBy(["verify", skill, "--public-key", "examples/vett/registry.pub"]);
    expect(packages).toContain("commander");
    expect(packages.filter((name) => /^(?:zod|@sigstore\/.*|@kubernetes\/.*|express)$/.test(name))).toEqual(
      [],
    );
  });
});
