import { describe, expect, it } from "vitest";
import { publicGoodRoot } from "../../../../src/signature/sigstore/root/public-good-root.ts";
import { readTrustedRoot } from "../../../../src/signature/sigstore/root/trusted-root.ts";
import type { TrustMaterial } from "../../../../src/signature/trust-material.ts";
import { verifySignature } from "../../../../src/signature/verify.ts";
import { SkillFile, type Skill } from "../../../../src/skill/skill.ts";
import { corpus, readTree } from "../../../fixtures/corpus.ts";
import { edited, editedInside, flipped, type Edit, valueAt } from "../../../fixtures/edited.ts";

const now = Date.UTC(2027, 5, 1);
const options = { signaturePath: "model.sig" };
const root = readTrustedRoot(publicGoodRoot, ["public-good/sigstore"]);
const trust: TrustMaterial = { version: "1", anchors: [], keys: [], sigstore: [root] };
const versions = ["v0.3.1", "v1.0.0", "v1.0.1", "v1.1.0"];

const proved = {
  kind: "keyless",
  identity: "stefanb@us.ibm.com",
  issuer: "https://sigstore.verify.ibm.com/oauth2",
  roots: [root.fingerprint],
};

/** Version 1.0.1 took the ignored file as an option of verification; only 1.1 writes it into the signature. */
function read(version: string): Skill {
  const skill = readTree(`${corpus}/oms-reference/${version}-sigstore`);
  const files = [...skill.files].filter(([path]) => version !== "v1.0.1" || path !== "ignore-me");
  return { ...skill, files: new Map(files) };
}

const withFile = (skill: Skill, path: string, text: string | Uint8Array): Skill => ({
  ...skill,
  files: new Map([...skill.files, [path, new SkillFile(Buffer.from(text))]]),
});

type Edits = Readonly<Record<string, Edit>>;

const bundleOf = (version: string): object =>
  JSON.parse(Buffer.from(read(version).files.get("model.sig")!.bytes).toString()) as object;

const changed = (version: string, edits: Edits): Skill =>
  withFile(read(version), "model.sig", JSON.stringify(edited(bundleOf(version), edits)));

const certificate = "verificationMaterial.certificate";
const entry = "verificationMaterial.tlogEntries.0";

describe("verifySignature on the reference's keyless samples", () => {
  it.each(versions)("%s is signed, and proved for the time of signing", (version) => {
    const evidence = verifySignature(read(version), trust, now, options);
    expect(evidence).toMatchObject({ outcome: "signed", signer: proved });
    const signedAt =
      evidence.outcome === "signed" && evidence.signer.kind === "keyless" ? evidence.signer.signedAt : 0;
    expect(new Date(signedAt!).getUTCFullYear()).toBe(2025);
  });

  it.each(versions)("%s is tampered with when a file changes", (version) => {
    const skill = withFile(read(version), "signme-1", "other\n");
    expect(verifySignature(skill, trust, now, options)).toMatchObject({
      outcome: "tampered",
      signer: proved,
      differences: [{ path: "signme-1", change: "modified" }],
    });
  });

  it.each<[string, string, string, Edits]>([
    ["the payload", "BAD_SIGNATURE", "does not match", { "dsseEnvelope.payload": editedInside({}) }],
    ["the signature", "BAD_SIGNATURE", "does not match", { "dsseEnvelope.signatures.0.sig": flipped() }],
    [
      "the log entry's certificate",
      "MANIFEST_MALFORMED",
      "neither a certificate nor a key",
      { [`${entry}.canonicalizedBody`]: editedInside({ "spec.signatures.0.verifier": "QQ==" }) },
    ],
    [
      "the log entry's digest",
      "UNTRUSTED_SIGNER",
      "not proved",
      { [`${entry}.canonicalizedBody`]: editedInside({ "spec.payloadHash.value": "00".repeat(32) }) },
    ],
    [
      "the log's promise",
      "UNTRUSTED_SIGNER",
      "inclusion promise",
      { [`${entry}.inclusionPromise.signedEntryTimestamp`]: flipped() },
    ],
    ["the place in the log", "UNTRUSTED_SIGNER", "inclusion promise", { [`${entry}.logIndex`]: "1" }],
    [
      "a hash of the proof",
      "UNTRUSTED_SIGNER",
      "root hash",
      { [`${entry}.inclusionProof.hashes.0`]: flipped() },
    ],
    [
      "the checkpoint's size",
      "UNTRUSTED_SIGNER",
      "checkpoint signature",
      {
        [`${entry}.inclusionProof.checkpoint.envelope`]: (old: string) => old.replace(/\n(\d+)\n/, "\n1$1\n"),
        [`${entry}.inclusionProof.treeSize`]: (old: string) => `1${old}`,
      },
    ],
    [
      "the time, to after the certificate's end",
      "SIGNER_EXPIRED",
      "not valid at the time of signing",
      { [`${entry}.integratedTime`]: (old: string) => String(Number(old) + 86_400) },
    ],
    [
      "the log's name",
      "UNTRUSTED_SIGNER",
      "in no trusted Sigstore root",
      { [`${entry}.logId.keyId`]: flipped() },
    ],
    [
      "the certificate, to another of the signer's",
      "BAD_SIGNATURE",
      "does not match",
      { [`${certificate}.rawBytes`]: () => valueAt(bundleOf("v1.0.0"), `${certificate}.rawBytes`) },
    ],
    [
      "the certificate's signature",
      "BAD_SIGNATURE",
      "another certificate",
      { [`${certificate}.rawBytes`]: flipped(-1) },
    ],
  ])("refuses v1.1.0 when %s is changed: %s, %s", (_what, fault, detail, edits) => {
    const evidence = verifySignature(changed("v1.1.0", edits), trust, now, options);
    expect(evidence).toMatchObject({ outcome: "untrusted", fault });
    expect(evidence).toHaveProperty("detail", expect.stringContaining(detail));
  });

  it("refuses a timestamp that was changed", () => {
    const skill = changed("v1.1.0", {
      "verificationMaterial.timestampVerificationData.rfc3161Timestamps.0.signedTimestamp": flipped(1_200),
    });
    expect(verifySignature(skill, trust, now, options)).toMatchObject({
      outcome: "untrusted",
      fault: "UNTRUSTED_SIGNER",
    });
  });

  it.each<[string, Edits]>([
    ["without the log", { "tlogs.0": undefined }],
    ["whose log was retired before", { "tlogs.0.publicKey.validFor.end": "2024-01-01T00:00:00Z" }],
    ["without the certificate authority", { "certificateAuthorities.1": undefined }],
    [
      "whose authority was retired before",
      { "certificateAuthorities.1.validFor.end": "2024-01-01T00:00:00Z" },
    ],
    ["without the certificate log", { "ctlogs.1": undefined }],
    ["whose certificate log came later", { "ctlogs.1.publicKey.validFor.start": "2026-01-01T00:00:00Z" }],
    ["without the timestamp authority", { timestampAuthorities: [] }],
  ])("refuses v1.1.0 by a root %s", (_what, edits) => {
    const other = JSON.stringify(edited(JSON.parse(publicGoodRoot) as object, edits));
    const sigstore = [readTrustedRoot(other, ["r/s"])];
    const evidence = verifySignature(read("v1.1.0"), { ...trust, sigstore }, now, options);
    expect(evidence).toMatchObject({
      outcome: "untrusted",
      fault: "UNTRUSTED_SIGNER",
      selfConsistent: true,
      signer: { roots: [] },
    });
  });
});
