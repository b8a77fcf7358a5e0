import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import fc from "fast-check";
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { readTrustedRoot } from "../../../../src/signature/sigstore/root/trusted-root.ts";
import type { SignatureEvidence } from "../../../../src/signature/signature-evidence.ts";
import type { TrustMaterial } from "../../../../src/signature/trust-material.ts";
import { verifySignature } from "../../../../src/signature/verify.ts";
import { SkillFile } from "../../../../src/skill/skill.ts";
import { issueAuthority, issueCertificate, type CertificateOptions } from "../../../fixtures/certificates.ts";
import { edited, flipped, placesOf, type Edit, valueAt } from "../../../fixtures/edited.ts";
import { runs } from "../../../fixtures/property-runs.ts";
import { identity, issuer, testSigstore } from "../../../fixtures/sigstore.ts";

const sigstore = await testSigstore();
const rootOf = (edits: Readonly<Record<string, Edit>> = {}) =>
  readTrustedRoot(JSON.stringify(edited(sigstore.trustedRoot, edits)), ["ours/sigstore"]);
const trustOf = (...roots: ReturnType<typeof rootOf>[]): TrustMaterial => ({
  version: "1",
  anchors: [],
  keys: [],
  sigstore: roots,
});
const root = rootOf();
const trust = trustOf(root);

const codeSigning = "1.3.6.1.5.5.7.3.3";
const content = "# demo\n";
const sha256 = (bytes: string | Uint8Array): Buffer => createHash("sha256").update(bytes).digest();

/** The signed list of one file. */
const payload = Buffer.from(
  JSON.stringify({
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name: "demo", digest: { sha256: sha256(sha256(content)).toString("hex") } }],
    predicateType: "https://model_signing/signature/v1.0",
    predicate: {
      serialization: { method: "files", hash_type: "sha256", allow_symlinks: false },
      resources: [{ name: "SKILL.md", algorithm: "sha256", digest: sha256(content).toString("hex") }],
    },
  }),
);

function verify(bundle: object, material = trust, text = content): SignatureEvidence {
  const files = new Map([
    ["SKILL.md", new SkillFile(Buffer.from(text))],
    ["skill.oms.sig", new SkillFile(Buffer.from(JSON.stringify(bundle)))],
  ]);
  return verifySignature({ name: "demo", files }, material, Date.now());
}

const good = await sigstore.sign(payload);
const entry = "verificationMaterial.tlogEntries.0";
const checkpoint = `${entry}.inclusionProof.checkpoint.envelope`;

describe("verifySignature on keyless signatures", () => {
  it("proves who signed and when, also long after the certificate has ended", () => {
    const evidence = verify(good);
    expect(evidence).toMatchObject({
      outcome: "signed",
      validity: { notAfter: 8.64e15 },
      signer: { kind: "keyless", identity, issuer, roots: [root.fingerprint] },
    });
    const signedAt =
      evidence.outcome === "signed" && evidence.signer.kind === "keyless" ? evidence.signer.signedAt : 0;
    expect(Math.abs(Date.now() - signedAt!)).toBeLessThan(600_000);
  });

  it("finds a changed file", () => {
    expect(verify(good, trust, "# other\n")).toMatchObject({
      outcome: "tampered",
      differences: [{ path: "SKILL.md", change: "modified" }],
    });
  });

  it.each(["dsse 0.0.2", "hashedrekord 0.0.2"] as const)(
    "takes %s of Rekor 2 with a timestamp",
    async (kind) => {
      expect(verify(await sigstore.sign(payload, { entry: kind }))).toMatchObject({ outcome: "signed" });
    },
  );

  it("takes a timestamp beside the log's own time", async () => {
    const bundle = await sigstore.sign(payload, { timestamp: true });
    expect(verify(bundle)).toMatchObject({ outcome: "signed" });
    const unknown = trustOf(rootOf({ timestampAuthorities: [] }));
    expect(verify(bundle, unknown)).toMatchObject({ outcome: "untrusted", fault: "UNTRUSTED_SIGNER" });
  });

  it("refuses Rekor 2 without a timestamp: nothing tells when it was signed", async () => {
    const bundle = await sigstore.sign(payload, { entry: "dsse 0.0.2", timestamp: false });
    expect(verify(bundle)).toMatchObject({ outcome: "untrusted", fault: "UNTRUSTED_SIGNER" });
  });

  it("takes the older media types, with a certificate or with a chain of one", () => {
    const older = (version: string) => ({
      mediaType: `application/vnd.dev.sigstore.bundle+json;version=${version}`,
    });
    const chain = {
      "verificationMaterial.x509CertificateChain": {
        certificates: [valueAt(good, "verificationMaterial.certificate")],
      },
      "verificationMaterial.certificate": undefined,
    };
    expect(verify(edited(good, older("0.3")))).toMatchObject({ outcome: "signed" });
    expect(verify(edited(good, { ...older("0.2"), ...chain }))).toMatchObject({ outcome: "signed" });
    expect(verify(edited(good, chain))).toMatchObject({ outcome: "untrusted", fault: "UNSUPPORTED_FORMAT" });
  });

  it("never trusts a root that the bundle brings", async () => {
    const { certificate } = await issueAuthority();
    const brought = edited(good, {
      mediaType: "application/vnd.dev.sigstore.bundle+json;version=0.1",
      "verificationMaterial.x509CertificateChain": {
        certificates: [
          valueAt(good, "verificationMaterial.certificate"),
          { rawBytes: certificate.raw.toString("base64") },
        ],
      },
      "verificationMaterial.certificate": undefined,
    });
    expect(verify(brought)).toMatchObject({ outcome: "untrusted", fault: "MANIFEST_MALFORMED" });
    expect(verify(brought)).toHaveProperty("detail", expect.stringContaining("self-signed"));
  });

  it("names every root by which it is proved, and only those", async () => {
    const other = await testSigstore();
    const stranger = readTrustedRoot(JSON.stringify(other.trustedRoot), ["other/sigstore"]);
    const again = rootOf({ timestampAuthorities: [] });
    expect(verify(good, trustOf(root, stranger, again))).toMatchObject({
      outcome: "signed",
      signer: { roots: [root.fingerprint, again.fingerprint] },
    });
    expect(verify(good, trustOf(stranger))).toMatchObject({
      outcome: "untrusted",
      fault: "UNTRUSTED_SIGNER",
      selfConsistent: true,
      signer: { identity, roots: [] },
    });
  });

  it.each<[string, Readonly<Record<string, Edit>>]>([
    ["whose key is retired", { "tlogs.0.publicKey.validFor.end": "2024-01-01T00:00:00Z" }],
    ["whose key is not trusted yet", { "tlogs.0.publicKey.validFor.start": "2200-01-01T00:00:00Z" }],
  ])("refuses a checkpoint of a log %s, for Rekor 2 too", async (_what, edits) => {
    const later = trustOf(rootOf(edits));
    expect(verify(good, later)).toMatchObject({ outcome: "untrusted", fault: "UNTRUSTED_SIGNER" });
    const second = await sigstore.sign(payload, { entry: "dsse 0.0.2" });
    expect(verify(second, later)).toMatchObject({ outcome: "untrusted", fault: "UNTRUSTED_SIGNER" });
  });

  it("reads what the certificate says of the build", async () => {
    const bundle = await sigstore.sign(payload, {
      extensions: [
        { arc: 1, value: issuer, legacy: true },
        { arc: 8, value: issuer },
        { arc: 12, value: "https://github.com/acme/skills" },
        { arc: 14, value: "refs/tags/v1.2.0" },
      ],
    });
    expect(verify(bundle)).toMatchObject({
      outcome: "signed",
      signer: {
        claims: {
          sourceRepositoryURI: "https://github.com/acme/skills",
          sourceRepositoryRef: "refs/tags/v1.2.0",
        },
      },
    });
  });

  it.each([
    ["no issuer", []],
    [
      "two issuers",
      [
        { arc: 1, value: "https://evil.example.com", legacy: true },
        { arc: 8, value: issuer },
      ],
    ],
    ["an issuer with a line break", [{ arc: 8, value: `${issuer}\n` }]],
  ])("refuses a certificate with %s", async (_what, extensions) => {
    expect(verify(await sigstore.sign(payload, { extensions }))).toMatchObject({
      outcome: "untrusted",
      fault: "MANIFEST_MALFORMED",
    });
  });

  it.each<[string, CertificateOptions]>([
    ["without code signing", { extendedKeyUsage: ["1.3.6.1.5.5.7.3.2"] }],
    ["without extended key usage", { extendedKeyUsage: [] }],
    ["without key usage", { extendedKeyUsage: [codeSigning], keyUsage: null }],
    [
      "that may sign certificates only",
      { extendedKeyUsage: [codeSigning], keyUsage: x509.KeyUsageFlags.keyCertSign },
    ],
    ["of an authority", { extendedKeyUsage: [codeSigning], ca: true }],
  ])("refuses a certificate %s", async (_what, options) => {
    const issuedBy = await issueAuthority();
    const extensions = [
      new x509.SubjectAlternativeNameExtension([{ type: "url", value: identity }]),
      new x509.Extension("1.3.6.1.4.1.57264.1.1", false, Uint8Array.from(Buffer.from(issuer))),
    ];
    const { certificate } = await issueCertificate({ issuer: issuedBy, extensions, ...options });
    const rawBytes = certificate.raw.toString("base64");
    const evidence = verify(edited(good, { "verificationMaterial.certificate.rawBytes": rawBytes }));
    expect(evidence).toMatchObject({ outcome: "untrusted", fault: "BAD_SIGNATURE" });
    expect(evidence).toHaveProperty("detail", expect.stringContaining("may not sign code"));
  });

  it("refuses a signature over something else", async () => {
    const bundle = await sigstore.sign(payload, { signedPayload: Buffer.from("{}") });
    expect(verify(bundle)).toMatchObject({ outcome: "untrusted", fault: "BAD_SIGNATURE" });
  });

  it("refuses entries of other kinds, and those that say nothing of their kind", async () => {
    const other = edited(good, { [`${entry}.kindVersion.kind`]: "rekord" });
    expect(verify(other)).toMatchObject({ outcome: "untrusted", fault: "UNSUPPORTED_FORMAT" });
    const empty = await sigstore.sign(payload, { entry: "intoto 0.0.2" });
    expect(verify(empty)).toMatchObject({ outcome: "untrusted", fault: "MANIFEST_MALFORMED" });
  });

  it("refuses an entry that says its kind differently inside", async () => {
    const bundle = await sigstore.sign(payload, { body: (body) => ({ ...body, apiVersion: "0.0.9" }) });
    expect(verify(bundle)).toMatchObject({ outcome: "untrusted", fault: "UNTRUSTED_SIGNER" });
  });

  it("refuses an entry about another signature", async () => {
    const other = await sigstore.sign(payload);
    const stolen = edited(good, { [entry]: valueAt(other, entry) as object });
    expect(verify(stolen)).toMatchObject({ outcome: "untrusted", fault: "BAD_SIGNATURE" });
  });

  it.each<[string, string, Readonly<Record<string, Edit>>]>([
    ["no entry", "UNTRUSTED_SIGNER", { "verificationMaterial.tlogEntries": [] }],
    ["no list of entries", "MANIFEST_MALFORMED", { "verificationMaterial.tlogEntries": undefined }],
    ["two entries", "MANIFEST_MALFORMED", { "verificationMaterial.tlogEntries.1": {} }],
    ["no proof", "UNSUPPORTED_FORMAT", { [`${entry}.inclusionProof`]: undefined }],
    ["an unknown field in the entry", "MANIFEST_MALFORMED", { [`${entry}.extra`]: 1 }],
    ["a number that is none", "MANIFEST_MALFORMED", { [`${entry}.logIndex`]: 3 }],
    ["a hash that is too short", "MANIFEST_MALFORMED", { [`${entry}.inclusionProof.hashes`]: ["AAAA"] }],
    [
      "too many hashes",
      "MANIFEST_MALFORMED",
      { [`${entry}.inclusionProof.hashes`]: Array.from({ length: 65 }, () => "A".repeat(43) + "=") },
    ],
    [
      "a checkpoint whose signature is spelt in a second way",
      "MANIFEST_MALFORMED",
      { [checkpoint]: (old: string) => old.replace(/ [A-Za-z0-9+/]+=*\n$/, " AAAAAAAAAAAAAB==\n") },
    ],
    ["a checkpoint without signatures", "MANIFEST_MALFORMED", { [checkpoint]: "a\n1\nAAAA\n\n" }],
    [
      "a checkpoint whose signer's name is a pattern",
      "MANIFEST_MALFORMED",
      { [checkpoint]: (old: string) => old.replace("\u2014 rekor", "\u2014 (((.*)*)*)*~rekor") },
    ],
    [
      "a checkpoint of an endless size",
      "MANIFEST_MALFORMED",
      { [checkpoint]: (old: string) => old.replace("\n1\n", `\n${"9".repeat(5_000)}\n`) },
    ],
    ["two signatures", "MANIFEST_MALFORMED", { "dsseEnvelope.signatures.1": { sig: "AAAA" } }],
    [
      "a timestamp that is none",
      "UNTRUSTED_SIGNER",
      {
        "verificationMaterial.timestampVerificationData": {
          rfc3161Timestamps: [{ signedTimestamp: "AAAA" }],
        },
      },
    ],
    [
      "too many timestamps",
      "MANIFEST_MALFORMED",
      {
        "verificationMaterial.timestampVerificationData": {
          rfc3161Timestamps: Array.from({ length: 5 }, () => ({ signedTimestamp: "AAAA" })),
        },
      },
    ],
    ["another signature", "BAD_SIGNATURE", { "dsseEnvelope.signatures.0.sig": flipped() }],
    ["another certificate", "BAD_SIGNATURE", { "verificationMaterial.certificate.rawBytes": flipped(-1) }],
  ])("refuses a bundle with %s: %s", (_what, fault, edits) => {
    expect(verify(edited(good, edits))).toMatchObject({ outcome: "untrusted", fault });
  });

  it("answers with evidence for every change in any place, and never proves a changed bundle wrongly", () => {
    fc.assert(
      fc.property(fc.constantFrom(...placesOf(good)), fc.jsonValue(), (path, value) => {
        fc.pre(JSON.stringify(value) !== JSON.stringify(valueAt(good, path)));
        // An absent number is zero, the index in this log.
        fc.pre(!path.endsWith("inclusionProof.logIndex") || value !== null);
        expect(verify(edited(good, { [path]: () => value })).outcome).toBe("untrusted");
      }),
      runs(150),
    );
  });

  it("answers with evidence for every flipped bit of certificate, entry, timestamp and signature", async () => {
    const stamped = await sigstore.sign(payload, { timestamp: true });
    const places = [
      "verificationMaterial.certificate.rawBytes",
      `${entry}.canonicalizedBody`,
      "verificationMaterial.timestampVerificationData.rfc3161Timestamps.0.signedTimestamp",
      "dsseEnvelope.signatures.0.sig",
      "dsseEnvelope.payload",
    ];
    fc.assert(
      fc.property(fc.constantFrom(...places), fc.nat(), (path, at) => {
        const length = Buffer.from(valueAt(stamped, path) as string, "base64").length;
        const { outcome } = verify(edited(stamped, { [path]: flipped(at % length) }));
        expect(["signed", "untrusted"]).toContain(outcome);
        // A timestamp's status and unused certificates are not signed.
        if (!path.includes("Timestamp")) expect(outcome).toBe("untrusted");
      }),
      runs(200),
    );
  });
});
