import { createPublicKey, generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { manifestOf, signGuide } from "../../../../src/signature/guide/sign.ts";
import { verifyGuide } from "../../../../src/signature/guide/verify.ts";
import { SignatureError } from "../../../../src/signature/signature-error.ts";
import { sha256 } from "../../../../src/skill/digest.ts";
import { pathFault } from "../../../../src/skill/path.ts";
import { guideFileOf, guideFiles, guideSkill } from "../../../fixtures/guide-skill.ts";
import { runs } from "../../../fixtures/property-runs.ts";
import { skillOf, withFiles } from "../../../fixtures/signed-skill.ts";

const { privateKey: key, publicKey } = generateKeyPairSync("ed25519");

describe("signGuide", () => {
  it("signs what verification accepts, and only with that key", () => {
    const { skill, trust } = guideSkill();
    expect(verifyGuide(skill, "skill.sig", trust).outcome).toBe("signed");
    expect(verifyGuide(skill, "skill.sig", guideSkill().trust).outcome).toBe("untrusted");
  });

  it("signs any tree of clean names, the repository's own files and a strange alphabet included", () => {
    const name = fc
      .oneof(
        fc.string({ unit: "binary", minLength: 1, maxLength: 20 }),
        fc.constantFrom(".gitignore", ".github/a.yml", "1", "constructor", "skill.SIG", "x/skill.sig.md"),
      )
      .filter((path) => pathFault(path) === undefined && path !== "__proto__");
    const files = fc.dictionary(name, fc.uint8Array(), { maxKeys: 6, noNullPrototype: true });
    fc.assert(
      fc.property(files, (tree) => {
        fc.pre(Object.keys(tree).every((path) => !path.endsWith("skill.sig")));
        const { skill, trust } = guideSkill({ files: { ...tree, "skill_card.yaml": "name: a\n" } });
        expect(verifyGuide(skill, "skill.sig", trust)).toMatchObject({ outcome: "signed", unlisted: [] });
      }),
      runs(100),
    );
  });

  it("writes the three fields, with the manifest as text in the form of the guide", () => {
    const skill = skillOf("demo", { "z.md": "z", "skill_card.yaml": "c", "é.md": "e" });
    const file = guideFileOf(signGuide(skill, key));
    expect(Object.keys(file)).toEqual(["alg", "manifest", "signature"]);
    expect(file.alg).toBe("ed25519");
    expect(file.manifest).toBe(
      `{"files":{"skill_card.yaml":"${sha256("c")}","z.md":"${sha256("z")}","\\u00e9.md":"${sha256("e")}"},"skill_root":"demo"}`,
    );
    expect(file.signature).toMatch(/^[0-9a-f]{128}$/);
  });

  it("leaves out the old signature at the root and nothing else, and does not depend on the order of files", () => {
    const unsigned = skillOf("demo", { ...guideFiles("demo"), ".gitignore": "x" });
    const again = withFiles(unsigned, { "skill.sig": "old" });
    expect(manifestOf(again)).toBe(manifestOf(unsigned));
    expect(manifestOf(unsigned)).toContain('".gitignore":"sha256:');
    const reversed = { name: "demo", files: new Map([...unsigned.files].reverse()) };
    expect(signGuide(reversed, key)).toEqual(signGuide(unsigned, key));
  });

  const card = { "skill_card.yaml": "c" };
  const ec = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;

  it.each([
    ["no card", () => signGuide(skillOf("demo", { "SKILL.md": "x" }), key), "has no skill_card.yaml"],
    [
      "a card elsewhere",
      () => signGuide(skillOf("demo", { "a/skill_card.yaml": "x" }), key),
      "has no skill_card",
    ],
    ["a folder without a name", () => signGuide(skillOf("", card), key), "no usable name"],
    [
      "half a character in the folder's name",
      () => signGuide(skillOf("a\ud800", card), key),
      "no usable name",
    ],
    [
      "half a character in a name",
      () => signGuide(skillOf("a", { ...card, "\ud800": "" }), key),
      "well-formed",
    ],
    [
      "a name that leaves the folder",
      () => signGuide(skillOf("a", { ...card, "../x": "" }), key),
      "rename it",
    ],
    ["an absolute name", () => signGuide(skillOf("a", { ...card, "/x": "" }), key), "is absolute"],
    [
      "a signature file below",
      () => signGuide(skillOf("a", { ...card, "b/skill.sig": "" }), key),
      "rename it",
    ],
    ["a public key", () => signGuide(skillOf("a", card), publicKey), "private key"],
    ["a key of another kind", () => signGuide(skillOf("a", card), ec), "Ed25519"],
    ["the public half of one", () => signGuide(skillOf("a", card), createPublicKey(ec)), "Ed25519"],
  ])("refuses %s", (_what, attempt, message) => {
    expect(attempt).toThrow(SignatureError);
    expect(attempt).toThrow(message);
  });

  it("refuses a file whose name strict readers of JSON refuse", () => {
    const files = new Map([
      ...skillOf("a", card).files,
      ["__proto__", skillOf("a", card).files.get("skill_card.yaml")!],
    ]);
    expect(() => signGuide({ name: "a", files }, key)).toThrow('the file "__proto__"');
  });
});
