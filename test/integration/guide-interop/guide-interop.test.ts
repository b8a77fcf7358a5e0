import { execFileSync } from "node:child_process";
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { canonicalJson } from "../../../src/text/canonical-json.ts";
import { manifestOf } from "../../../src/signature/guide/sign.ts";
import { verifyGuide } from "../../../src/signature/guide/verify.ts";
import { SkillFile } from "../../../src/skill/skill.ts";
import { readSkillDirectory } from "../../../src/sources/directory.ts";
import { trustOf } from "../../fixtures/certificates.ts";
import { signManifest } from "../../fixtures/guide-skill.ts";

const python = (args: readonly string[], input = ""): string =>
  execFileSync(process.env["PYTHON"] ?? "python3", args, {
    input,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });

/** Names with characters that implementations treat differently: escapes, ends of ranges, orders. */
const names = [
  "SKILL.md",
  "skill_card.yaml",
  "1",
  "10",
  "9",
  "B",
  "a b~",
  'quote".md',
  "back\\slash",
  "constructor",
  ".gitignore",
  "r\u00e9f/\u0080.md",
  "re\u0301f/x",
  "\u2028\u2029",
  "\uffee/\ue000",
  "\u{10000}",
  "\u{1f600}/\u{10ffff}",
  "deep/er/and/deeper.txt",
];

let scratch: string;

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "guide-interop-"));
});

afterEach(() => {
  rmSync(scratch, { recursive: true });
});

describe("beside Python's json.dumps", () => {
  it("writes the same bytes for every text", () => {
    const text = fc.string({ unit: "binary", maxLength: 40 });
    const maps = fc.sample(fc.array(fc.tuple(text, text), { maxLength: 12 }), { numRuns: 400, seed: 7 });
    const everyUnit = Array.from({ length: 0x3000 }, (_, code) => String.fromCharCode(code)).join("");
    const values = [new Map([[everyUnit, everyUnit]]), ...maps.map((members) => new Map(members))];
    const code =
      "import json,sys\nfor value in json.load(sys.stdin):\n" +
      " print(json.dumps(dict(value), sort_keys=True, separators=(',', ':')))";
    const theirs = python(["-c", code], JSON.stringify(values.map((value) => [...value])));
    expect(theirs.trimEnd().split("\n")).toEqual(values.map(canonicalJson));
  });

  it("lists a folder as the guide's signer does, and verifies its signature", async () => {
    const folder = join(scratch, "d\u00e9mo \u{1f600}");
    for (const [at, name] of names.entries()) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), `file ${at}\n`);
    }
    writeFileSync(join(folder, "skill.sig"), "an older signature");
    const theirs = python([join(import.meta.dirname, "manifest.py"), folder]);
    const skill = await readSkillDirectory(folder);
    expect([...skill.files.keys()]).toHaveLength(names.length + 1);
    expect(manifestOf(skill)).toBe(theirs);
    const { privateKey } = generateKeyPairSync("ed25519");
    const signature = new SkillFile(Buffer.from(signManifest(theirs, privateKey)));
    const files = new Map([...skill.files, ["skill.sig", signature]]);
    const trust = trustOf({ keys: [createPublicKey(privateKey)] });
    expect(verifyGuide({ ...skill, files }, "skill.sig", trust).outcome).toBe("signed");
  });
});
