import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { SignatureEvidence } from "../../../src/signature/signature-evidence.ts";
import type { Difference } from "../../../src/signature/compare.ts";
import { verifySignature } from "../../../src/signature/verify.ts";
import type { Skill } from "../../../src/skill/skill.ts";
import { trustOf } from "../../fixtures/certificates.ts";
import type { ExpectedSkill } from "../../fixtures/catalogue.ts";
import { corpus, readCertificates, readJson, readPublicKeys, readTree } from "../../fixtures/corpus.ts";

const now = Date.UTC(2027, 5, 1);

const subjectOf = (evidence: SignatureEvidence): string | undefined =>
  evidence.outcome !== "unsigned" && evidence.signer?.kind === "certificate"
    ? evidence.signer.subject
    : undefined;

const differencesOf = (evidence: SignatureEvidence): readonly Difference[] =>
  "differences" in evidence ? (evidence.differences ?? []) : [];

describe("verifySignature on the real catalogue", () => {
  const expected = readJson(`${corpus}/nvidia/expected.json`) as Record<string, ExpectedSkill>;
  const anchors = readCertificates(`${corpus}/nvidia/nv-agent-root-cert.pem`);
  const trust = trustOf({ anchors });

  it("has at least twenty skills", () => {
    expect(Object.keys(expected).length).toBeGreaterThanOrEqual(20);
  });

  it.each(Object.entries(expected))("%s", (name, { outcome, digest, signer, files, modified = [] }) => {
    const skill = readTree(`${corpus}/nvidia/skills/${name}`);
    const evidence = verifySignature(skill, trust, now);
    expect(evidence).toMatchObject({ outcome, digest, format: "oms" });
    expect(subjectOf(evidence)).toBe(signer);
    expect(skill.files.size).toBe(files);
    expect(differencesOf(evidence).map(({ path, change }) => [path, change])).toEqual(
      modified.map((path) => [path, "modified"]),
    );
    if (evidence.outcome === "untrusted") {
      expect(evidence).toMatchObject({ fault: "UNTRUSTED_SIGNER", selfConsistent: true });
    }
  });
});

const omsReference = `${corpus}/oms-reference`;

const without = (skill: Skill, path: string): Skill => ({
  ...skill,
  files: new Map([...skill.files].filter(([name]) => name !== path)),
});

describe("verifySignature on the reference's own samples", () => {
  const options = { signaturePath: "model.sig" };
  const read = (name: string): Skill => readTree(`${omsReference}/${name}`);
  const anchors = readCertificates(`${omsReference}/keys/ca-cert.pem`);
  const keys = readPublicKeys(`${omsReference}/keys/signing-key-pub.pem`);
  const trust = trustOf({ anchors, keys });
  const certified = ["v0.2.0", "v0.3.1", "v1.0.0", "v1.0.1", "v1.1.0"].map(
    (version) => `${version}-certificate`,
  );
  const keyed = ["v0.3.1", "v1.0.0", "v1.0.1", "v1.1.0"].map((version) => `${version}-elliptic-key`);

  it.each([...certified, ...keyed])("%s is signed", (name) => {
    // Version 1.0.1 took the ignored file as an option of verification; only 1.1 writes it into the signature.
    const skill = name.startsWith("v1.0.1") ? without(read(name), "ignore-me") : read(name);
    const unlisted = name.startsWith("v1.1.0") ? ["ignore-me"] : [];
    expect(verifySignature(skill, trust, now, options)).toMatchObject({ outcome: "signed", unlisted });
  });

  it.each(["v1.0.1-certificate", "v1.0.1-elliptic-key"])("%s does not cover ignore-me", (name) => {
    const evidence = verifySignature(read(name), trust, now, options);
    expect(differencesOf(evidence)).toMatchObject([{ path: "ignore-me", change: "added" }]);
  });

  it.each(certified)("%s is untrusted when only the intermediate is an anchor", (name) => {
    const partial = trustOf({ anchors: readCertificates(`${omsReference}/keys/int-ca-cert.pem`) });
    expect(verifySignature(read(name), partial, now, options)).toMatchObject({
      outcome: "untrusted",
      fault: "UNTRUSTED_SIGNER",
      selfConsistent: true,
    });
  });
});

describe("verifySignature on the specification's vectors", () => {
  const vectors = `${corpus}/oms-spec/test-vectors/v1.0`;
  const anchors = readCertificates(`${omsReference}/keys/ca-cert.pem`);
  const keys = readPublicKeys(`${omsReference}/keys/signing-key-pub.pem`);
  const trust = trustOf({ anchors, keys });

  /** The vectors are signatures without their files, which are those of the reference's version 1.0.1. */
  function verifyVector(name: string): SignatureEvidence {
    const { files } = readTree(`${omsReference}/v1.0.1-elliptic-key`);
    const [signature] = readTree(`${vectors}/${name}.bundle.json`).files.values();
    const tree = new Map([...files, ["skill.oms.sig", signature!] as const]);
    tree.delete("model.sig");
    return verifySignature({ name: "model", files: tree }, trust, now);
  }

  it.each(["valid/key", "valid/certificate"])("%s is signed", (name) => {
    expect(verifyVector(name)).toMatchObject({ outcome: "signed", unlisted: ["ignore-me"] });
  });

  it.each([
    ["valid/sigstore", "UNTRUSTED_SIGNER", "no Sigstore root is trusted here"],
    ["invalid/missing-tlog-entries", "MANIFEST_MALFORMED", "tlogEntries is missing"],
    ["invalid/empty", "MANIFEST_MALFORMED", "is empty"],
    ["invalid/missing-envelope", "MANIFEST_MALFORMED", "dsseEnvelope is missing"],
    ["invalid/missing-verification-material", "MANIFEST_MALFORMED", "verificationMaterial is missing"],
    ["invalid-payload/wrong-predicate", "UNSUPPORTED_FORMAT", "wrong-predicate"],
  ])("%s is refused: %s, %s", (name, fault, detail) => {
    expect(verifyVector(name)).toMatchObject({
      outcome: "untrusted",
      fault,
      detail: expect.stringContaining(detail) as string,
    });
  });
});

interface LabCase {
  readonly how: string;
  readonly method: "key" | "certificate";
  readonly folder: string;
  readonly signature: string;
  readonly ours: "signed" | "signed, integrity MEDIUM" | "refused" | "either";
}

/** Choices where the corpus leaves the result open; docs/formats/oms.md gives the reasons. */
const choices: Readonly<Record<string, "signed" | "refused">> = {
  "b-high-s": "signed",
  "b-payload-newlines": "refused",
  "cert-chain-shuffled": "refused",
  "cert-extra-junk": "refused",
  "cert-pae-compat-sha256": "refused",
  "cert-root-no-bc": "refused",
  "cert-root-reissued": "signed",
  "cert-selfsigned-anchor": "refused",
  "k-pub-compressed": "signed",
  "key-single-file": "signed",
  "s-digest-upper": "refused",
  "s-ignore-slash": "refused",
  "s-predicate-extra": "refused",
  "s-resource-extra": "refused",
  "s-statement-extra": "refused",
};

/**
 * Signatures by shards do not list empty files: these three leave the same file uncovered and share the integrity
 * MEDIUM. The corpus notes it for the first only.
 */
const emptyUnderShards = ["m-shards-sha256", "m-shards-sha256-default", "m-shards-blake2b"];

const lab = `${corpus}/oms-lab`;

function readLab(name: string, { folder, signature }: LabCase): Skill {
  const skill = readTree(join(lab, name, folder));
  if (signature.startsWith(`${folder}/`)) return skill;
  const signatureFile = readTree(join(lab, name, signature));
  return { ...skill, files: new Map([...skill.files, ...signatureFile.files]) };
}

describe("verifySignature on the laboratory of corner cases", () => {
  const expected = readJson(`${lab}/expected.json`) as Record<string, LabCase>;

  it("has chosen exactly where the corpus leaves it open", () => {
    const open = Object.entries(expected).filter(([, { ours }]) => ours === "either");
    expect(open.map(([name]) => name).sort()).toEqual(Object.keys(choices).sort());
  });

  it.each(Object.entries(expected))("%s", (name, entry) => {
    const root = join(lab, name, "root.pem");
    const key = join(lab, name, "key.pub");
    const trust = trustOf({
      anchors: existsSync(root) ? readCertificates(root) : [],
      keys: existsSync(key) ? readPublicKeys(key) : [],
    });
    const evidence = verifySignature(readLab(name, entry), trust, now);
    const ours = entry.ours === "either" ? choices[name] : entry.ours;
    const detail = "detail" in evidence ? evidence.detail : JSON.stringify(differencesOf(evidence));
    if (ours === "refused") {
      expect(evidence.outcome, entry.how).not.toBe("signed");
      expect(detail).not.toBe("");
    } else {
      expect(evidence.outcome, `${entry.how}: ${detail}`).toBe("signed");
      const unlisted = emptyUnderShards.includes(name) ? ["references/empty.txt"] : [];
      expect(evidence).toHaveProperty("unlisted", unlisted);
    }
  });
});
