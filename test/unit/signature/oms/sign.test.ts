import { createPublicKey, generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { signOms } from "../../../../src/signature/oms/sign.ts";
import { comparePaths } from "../../../../src/signature/oms/digest.ts";
import { SignatureError } from "../../../../src/signature/signature-error.ts";
import { verifySignature } from "../../../../src/signature/verify.ts";
import { pathFault } from "../../../../src/skill/path.ts";
import { issueCertificate, issueChain, trustOf } from "../../../fixtures/certificates.ts";
import { bundleOf, signedSkill, skillOf, statementOf, withFiles } from "../../../fixtures/signed-skill.ts";
import { runs } from "../../../fixtures/property-runs.ts";

const keyOn = (namedCurve: string) => generateKeyPairSync("ec", { namedCurve }).privateKey;
const key = keyOn("P-256");

describe("signOms", () => {
  it.each(["P-256", "P-384", "P-521"])("signs by a key on %s what verification accepts", (curve) => {
    const { skill, trust: own } = signedSkill({ key: keyOn(curve) });
    expect(verifySignature(skill, own, Date.now()).outcome).toBe("signed");
  });

  it("signs any tree of clean names", () => {
    const name = fc
      .string({ unit: "binary", minLength: 1, maxLength: 20 })
      .filter((path) => pathFault(path) === undefined);
    const files = fc.dictionary(name, fc.uint8Array(), { minKeys: 1, maxKeys: 5, noNullPrototype: true });
    fc.assert(
      fc.property(files, (tree) => {
        const listed = Object.fromEntries(
          Object.entries(tree).filter(([path]) => !/^(\.git|skill\.oms\.sig)/.test(path)),
        );
        fc.pre(Object.keys(listed).length > 0);
        const { skill, trust: own } = signedSkill({ files: listed });
        expect(verifySignature(skill, own, Date.now())).toMatchObject({ outcome: "signed", unlisted: [] });
      }),
      runs(50),
    );
  });

  it("writes a statement of version 1.1, in the order of path components", () => {
    const files = { "a.md": "1", "a-b/c": "2", "a/b": "3", a2: "4" };
    expect(statementOf(signOms(skillOf("demo", files), { key }))).toMatchObject({
      _type: "https://in-toto.io/Statement/v1",
      subject: [{ name: "demo" }],
      predicateType: "https://model_signing/signature/v1.0",
      predicate: {
        serialization: {
          method: "files",
          hash_type: "sha256",
          allow_symlinks: false,
          ignore_paths: [".git", ".gitattributes", ".github", ".gitignore", "skill.oms.sig"],
        },
        resources: [{ name: "a/b" }, { name: "a-b/c" }, { name: "a.md" }, { name: "a2" }],
      },
    });
  });

  it("leaves out the old signature and what belongs to git", () => {
    const skill = withFiles(skillOf("demo"), {
      "skill.oms.sig": "old",
      ".gitignore": "x",
      ".github/a.yml": "x",
    });
    const text = JSON.stringify(statementOf(signOms(skill, { key })));
    expect(text).not.toContain('"name":".git');
    expect(text).not.toContain('"name":"skill.oms.sig"');
  });

  it("leaves a root out of the chain and verifies with it", async () => {
    const { root, leaf, certificates } = await issueChain({ keyType: "P-384" });
    const whole = [...certificates, root.certificate];
    const { skill, signature } = signedSkill({ key: leaf.key, certificates: whole });
    const material = bundleOf(signature)["verificationMaterial"] as {
      x509CertificateChain: { certificates: unknown[] };
    };
    expect(material.x509CertificateChain.certificates).toHaveLength(2);
    expect(verifySignature(skill, trustOf({ anchors: [root.certificate] }), Date.now()).outcome).toBe(
      "signed",
    );
  });

  it("keeps a self-signed certificate that is the signer itself", async () => {
    const leaf = await issueCertificate();
    const bundle = bundleOf(signOms(skillOf("demo"), { key: leaf.key, certificates: [leaf.certificate] }));
    expect(bundle).toHaveProperty("verificationMaterial.x509CertificateChain.certificates.length", 1);
  });

  it.each([
    ["no files", () => signOms(skillOf("demo", {}), { key }), "no files to sign"],
    [
      "files of git alone",
      () => signOms(skillOf("demo", { ".gitignore": "x" }), { key }),
      "no files to sign",
    ],
    ["a name that leaves the folder", () => signOms(skillOf("demo", { "../x": "x" }), { key }), "rename it"],
    ["a folder without a name", () => signOms(skillOf(""), { key }), "no usable name"],
    ["a public key", () => signOms(skillOf("demo"), { key: createPublicKey(key) }), "private key"],
    ["an unsupported curve", () => signOms(skillOf("demo"), { key: keyOn("secp256k1") }), "P-256"],
    [
      "an RSA key",
      () => signOms(skillOf("demo"), { key: generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey }),
      "P-256",
    ],
    ["an empty chain", () => signOms(skillOf("demo"), { key, certificates: [] }), "is empty"],
  ])("refuses %s", (_name, attempt, message) => {
    expect(attempt).toThrow(SignatureError);
    expect(attempt).toThrow(message);
  });

  it("refuses a certificate of another key, one that may not sign, and a chain out of order", async () => {
    const { leaf, intermediate, certificates } = await issueChain();
    const skill = skillOf("demo");
    expect(() => signOms(skill, { key, certificates })).toThrow("does not belong");
    const shuffled = [intermediate.certificate, leaf.certificate];
    expect(() => signOms(skill, { key: leaf.key, certificates: shuffled })).toThrow("does not belong");
    const unlinked = [leaf.certificate, (await issueCertificate()).certificate];
    expect(() => signOms(skill, { key: leaf.key, certificates: unlinked })).toThrow("did not issue");
    const unusable = await issueCertificate({ keyUsage: null });
    expect(() => signOms(skill, { key: unusable.key, certificates: [unusable.certificate] })).toThrow(
      "may not sign",
    );
  });

  it("does not depend on the order in which files are given", () => {
    const forward = statementOf(signOms(skillOf("demo", { a: "1", b: "2" }), { key }));
    expect(statementOf(signOms(skillOf("demo", { b: "2", a: "1" }), { key }))).toEqual(forward);
  });
});

describe("comparePaths", () => {
  it("sorts by components, and by code points inside them", () => {
    const sorted = ["a", "a/b", "a/b/c", "a-b/c", "a.md", "ab", "\uffee", "\u{1f600}"];
    expect(sorted.toReversed().sort(comparePaths)).toEqual(sorted);
  });
});
