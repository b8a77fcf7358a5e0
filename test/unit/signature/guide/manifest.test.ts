import { describe, expect, it } from "vitest";
import { sha256 } from "../../../../src/skill/digest.ts";
import { skillLimits } from "../../../../src/skill/limits.ts";
import { file, listing, malformed, manifest, saying, withSignature, without } from "./signed.ts";

describe("the signature file", () => {
  it.each([
    ["is empty", "", "is empty"],
    ["is no JSON", "ed25519", "the signature file is not JSON"],
    ["begins with a byte order mark", `\ufeff${JSON.stringify(file)}`, "not JSON"],
    ["is followed by more", `${JSON.stringify(file)}{}`, "not JSON"],
    ["is not UTF-8", Buffer.from([0x7b, 0xff, 0x7d]), "is not UTF-8"],
    ["is a list", "[]", "is not an object"],
    ["is larger than what is read", Buffer.alloc(skillLimits.signatureBytes + 1, 0x20), "is larger than"],
    ["has an unknown field", JSON.stringify({ ...file, keyid: "1" }), 'unknown field "keyid"'],
  ])("is refused, when it %s", (_what, text, detail) => {
    expect(withSignature(text)).toMatchObject(malformed(detail));
  });

  it.each(["alg", "manifest", "signature"] as const)("needs %s, as text", (field) => {
    const rest = without(file, field);
    expect(withSignature(JSON.stringify(rest))).toMatchObject(malformed(`\\.${field} is missing`));
    for (const other of [null, 1, true, [file[field]], { a: 1 }])
      expect(withSignature(JSON.stringify({ ...file, [field]: other }))).toMatchObject(
        malformed("is not text"),
      );
  });

  it.each([
    ["in capitals", file.signature.toUpperCase()],
    ["a byte short", file.signature.slice(2)],
    ["a byte long", `${file.signature}00`],
    ["half a byte short", file.signature.slice(1)],
    ["with a prefix", `0x${file.signature}`],
    ["with a line feed", `${file.signature}\n`],
    ["in base64", Buffer.from(file.signature, "hex").toString("base64")],
    ["no digits", ""],
  ])("has a signature of 128 lower-case hex digits, not one %s", (_what, signature) => {
    expect(withSignature(JSON.stringify({ ...file, signature }))).toMatchObject(malformed("128 lower-case"));
  });
});

describe("the manifest", () => {
  it.each([
    ["is no JSON", "files", "the manifest is not JSON"],
    ["is a text", '"x"', "is not an object"],
    ["has an unknown field", JSON.stringify({ ...manifest, version: 2 }), 'unknown field "version"'],
    ["lacks files", JSON.stringify({ skill_root: "a" }), "list of files is missing"],
    ["lacks skill_root", JSON.stringify({ files: manifest.files }), "skill_root is missing"],
    ["has a list for files", JSON.stringify({ ...manifest, files: [] }), "is not an object"],
    ["has a number for skill_root", JSON.stringify({ ...manifest, skill_root: 1 }), "skill_root is not text"],
    [
      "names a folder without end",
      JSON.stringify({ ...manifest, skill_root: "x".repeat(1025) }),
      "is longer",
    ],
    ["lists nothing", JSON.stringify({ ...manifest, files: {} }), "does not list skill_card.yaml"],
    [
      "lists another card only",
      JSON.stringify({ ...manifest, files: { "skill-card.md": sha256("") } }),
      "does not list",
    ],
  ])("is refused though the key is trusted, when it %s", (_what, text, detail) => {
    expect(saying(text)).toMatchObject(malformed(detail));
  });

  const hex = manifest.files["SKILL.md"]!.slice("sha256:".length);
  it.each([
    hex,
    `sha512:${hex}`,
    `SHA256:${hex}`,
    `sha256:${hex.toUpperCase()}`,
    `sha256:${hex.slice(1)}`,
    `sha256:${hex}0`,
    `sha256:${hex}\n`,
    "",
    null,
    1,
    [`sha256:${hex}`],
    { sha256: hex },
  ])("is refused, with the digest %j", (digest) => {
    expect(listing({ ...manifest.files, "SKILL.md": digest })).toMatchObject(
      malformed(/^the digest of "SKILL\.md" is not sha256: and 64/),
    );
  });

  it("may list as many files as a skill may have, and no more", () => {
    const many = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, at) => [`f/${at}`, sha256("")]));
    const card = { "skill_card.yaml": manifest.files["skill_card.yaml"] };
    expect(listing({ ...many(skillLimits.files - 1), ...card }).outcome).toBe("tampered");
    expect(listing({ ...many(skillLimits.files), ...card })).toMatchObject(
      malformed("more than 10000 files"),
    );
  });
});
