import { describe, expect, it } from "vitest";
import { sha256 } from "../../../../src/skill/digest.ts";
import { skillLimits } from "../../../../src/skill/limits.ts";
import { verifySignature } from "../../../../src/signature/verify.ts";
import { guideSkill, signManifest } from "../../../fixtures/guide-skill.ts";
import { withFiles } from "../../../fixtures/signed-skill.ts";
import { file, key, listing, malformed, manifest, saying, skill, verify, withSignature } from "./signed.ts";

describe("the holes in the guide's own code", () => {
  it("a file named skill.sig in a folder below is one that was not signed", () => {
    expect(verify(withFiles(skill, { "references/skill.sig": "#!/bin/sh\n" }))).toMatchObject({
      outcome: "tampered",
      differences: [{ path: "references/skill.sig", change: "added" }],
    });
  });

  it.each(["skill.sig", "references/skill.sig"])("a list that names %s is refused", (path) => {
    const digest = sha256("x");
    const text = signManifest(
      JSON.stringify({ ...manifest, files: { ...manifest.files, [path]: digest } }),
      key,
    );
    expect(verify(withFiles(skill, { [path]: "x", "skill.sig": text }))).toMatchObject(
      malformed(/is a signature file's, which is never signed/),
    );
  });

  it.each([
    "../outside",
    "references/../../outside",
    "/etc/passwd",
    "./SKILL.md",
    "a//b",
    "a/",
    "",
    "a\u0000b",
    "a/".repeat(skillLimits.depth) + "b",
    "x".repeat(skillLimits.pathBytes + 1),
  ])("a listed name that is no clean path is refused: %j", (path) => {
    expect(listing({ ...manifest.files, [path]: sha256("x") })).toMatchObject(malformed(/^the listed name /));
  });

  it("a backslash is a letter of a name, no folder", () => {
    const name = "..\\outside";
    const own = guideSkill({ files: { "skill_card.yaml": "c", [name]: "x" } });
    expect(verifySignature(own.skill, own.trust, 0).outcome).toBe("signed");
  });

  it.each([
    ["in the file", JSON.stringify(file).replace("{", '{"alg":"ed25519",'), "the signature file"],
    [
      "written differently",
      JSON.stringify(file).replace("{", '{"\\u0061lg":"ed25519",'),
      "the signature file",
    ],
    [
      "in the manifest",
      signManifest(file.manifest.replace("{", '{"skill_root":"data-designer",'), key),
      "the manifest",
    ],
    [
      "in the list",
      signManifest(file.manifest.replace('{"files":{', `{"files":{"SKILL.md":"${sha256("x")}",`), key),
      "the manifest",
    ],
  ])("a key that is there twice is refused: %s", (_where, text, what) => {
    expect(withSignature(text)).toMatchObject(
      malformed(`^${what} is ambiguous: an object has the same key twice`),
    );
  });

  it("half of a surrogate pair is refused, as text and as an escape in the signed text", () => {
    const lone = "\\ud83d";
    expect(withSignature(JSON.stringify(file).replace("data-designer", lone))).toMatchObject(
      malformed("half of a surrogate pair"),
    );
    expect(saying(file.manifest.replace('"SKILL.md"', `"${lone}"`))).toMatchObject(
      malformed("half of a surrogate pair"),
    );
  });

  it("names outside ASCII are compared as they are, whatever their form", () => {
    const own = guideSkill({ files: { "skill_card.yaml": "c", "r\u00e9f/\u{1f600}.md": "x" } });
    expect(verifySignature(own.skill, own.trust, 0).outcome).toBe("signed");
    const decomposed = withFiles(own.skill, {
      "r\u00e9f/\u{1f600}.md": undefined,
      "re\u0301f/\u{1f600}.md": "x",
    });
    expect(verifySignature(decomposed, own.trust, 0)).toMatchObject({
      outcome: "tampered",
      differences: [{ change: "missing" }, { change: "added" }],
    });
  });

  it("a name that all objects have is no listed one", () => {
    expect(verify(withFiles(skill, { constructor: "x", toString: "x" }))).toMatchObject({
      outcome: "tampered",
    });
    expect(
      saying(file.manifest.replace('{"files":{', `{"files":{"__proto__":"${sha256("x")}",`)),
    ).toMatchObject(malformed("__proto__"));
  });

  it.each(["Ed25519", "ed25519 ", "none", "", "ed448", "EdDSA", "rsa"])(
    "the algorithm is read: %j",
    (alg) => {
      expect(withSignature(JSON.stringify({ ...file, alg }))).toMatchObject({
        outcome: "untrusted",
        fault: "UNSUPPORTED_FORMAT",
      });
    },
  );
});
