import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { publicGoodRoot } from "../../../src/signature/sigstore/root/public-good-root.ts";
import { commandsOf, type, typed, type Shell } from "../../fixtures/documented.ts";
import { alias, projectRoot, snapshotOn } from "./page.ts";
import { run } from "./line.ts";

const page = "docs/formats/sigstore.md";
const sample = join(projectRoot, "examples/keyless/reference-sample");
const who = ["--identity", "stefanb@us.ibm.com", "--issuer", "https://sigstore.verify.ibm.com/oauth2"];

const shell: Shell = { cwd: projectRoot, env: process.env };

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sigstore-page-"));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe("docs/formats/sigstore.md", () => {
  it("has a worked example that works as it is typed, and shows what it prints", async () => {
    const commands = await commandsOf(page);
    const shown = await commandsOf(page, "text");
    const warning =
      "warning: no SKILL.md in examples/keyless/reference-sample; name the folders of skills, one each\n";
    expect(await typed(alias + commands("--identity stefanb@us.ibm.com"), shell)).toBe(
      shown("reference-sample  pass") + warning,
    );
    const refused = await type(alias + commands("stefanb@us.ibm "), shell);
    expect(refused).toEqual({ code: 1, out: shown("who is no publisher") + warning });
  });

  it("shows what becomes of a signature with less proof than is asked for", async () => {
    const commands = await commandsOf(page);
    const shown = await commandsOf(page, "text");
    const refused = await type(alias + commands("timestampThreshold: 2"), shell);
    expect(refused.code).toBe(1);
    expect(refused.out).toContain(shown("stated by 1 of the 2"));
  });

  it("has a trust root and a policy that can be used", async () => {
    const snapshot = await snapshotOn(page);
    expect(snapshot.problems).toEqual([]);
    expect(snapshot.policies[0]!.publishers[0]).toMatchObject({ kind: "keyless", name: "release-workflow" });
  });
});

describe("verify --identity", () => {
  const verify = (...args: readonly string[]) => run(["verify", sample, "--signature", "model.sig", ...args]);

  it("takes a trusted root from a file", async () => {
    const file = join(folder, "trusted_root.json");
    await writeFile(file, publicGoodRoot);
    expect(await verify(...who, "--trusted-root", file)).toMatchObject({ code: 0 });
  });

  it("shows whom a signature names, and that nobody proved it, without an identity", async () => {
    const { code, out } = await verify("-o", "json");
    expect(code).toBe(3);
    expect(JSON.parse(out)).toMatchObject({
      signature: {
        outcome: "untrusted",
        signer: { kind: "keyless", identity: "stefanb@us.ibm.com", roots: [] },
      },
    });
  });

  it.each<[string, readonly string[], string]>([
    ["an identity without an issuer", who.slice(0, 2), "--identity and --issuer together"],
    ["an issuer without an identity", who.slice(2), "--identity and --issuer together"],
    ["an empty identity", ["--identity", "", ...who.slice(2)], "--identity and --issuer together"],
    ["an identity beside a key", [...who, "--public-key", "x"], "cannot be used with"],
    [
      "a trusted root that is not there",
      [...who, "--trusted-root", "nowhere.json"],
      "cannot read nowhere.json",
    ],
    ["a trusted root that is none", [...who, "--trusted-root", "package.json"], "mediaType is missing"],
  ])("refuses %s", async (_what, args, message) => {
    const { code, err } = await verify(...args);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });
});
