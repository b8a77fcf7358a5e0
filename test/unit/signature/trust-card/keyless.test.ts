import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SignatureEvidence } from "../../../../src/signature/signature-evidence.ts";
import { readTrustedRoot } from "../../../../src/signature/sigstore/root/trusted-root.ts";
import type { TrustMaterial } from "../../../../src/signature/trust-material.ts";
import { verifySignature } from "../../../../src/signature/verify.ts";
import { edited, flipped, placesOf, valueAt, type Edit } from "../../../fixtures/edited.ts";
import { legacyBundle } from "../../../fixtures/legacy-bundle.ts";
import { runs } from "../../../fixtures/property-runs.ts";
import { withFiles } from "../../../fixtures/signed-skill.ts";
import { newKey, sha256Of, signArtifact, statementAbout } from "../../../fixtures/sigstore-artifact.ts";
import { identity, issuer, testSigstore } from "../../../fixtures/sigstore.ts";
import { keylessCardSkill } from "../../../fixtures/trust-card-skill.ts";

const { skill, digest, bundle, sigstore } = await keylessCardSkill();
const rootOf = (edits: Readonly<Record<string, Edit>> = {}) =>
  readTrustedRoot(JSON.stringify(edited(sigstore.trustedRoot, edits)), ["ours/sigstore"]);
const root = rootOf();
const trustOf = (...roots: ReturnType<typeof rootOf>[]): TrustMaterial => ({
  version: "1",
  anchors: [],
  keys: [],
  sigstore: roots,
});
const trust = trustOf(root);

const withBundle = (changed: object | string, by = trust): SignatureEvidence => {
  const text = typeof changed === "string" ? changed : JSON.stringify(changed);
  return verifySignature(withFiles(skill, { "CARD.md.sigstore": text }), by, Date.now());
};

describe("a trust card with a keyless signature", () => {
  it("is signed by whom the certificate names, at the time that the log promised", () => {
    const evidence = verifySignature(skill, trust, Date.now());
    expect(evidence).toMatchObject({
      outcome: "signed",
      format: "trust-card",
      digest,
      signer: { kind: "keyless", identity, issuer, roots: [root.fingerprint] },
      unlisted: ["CARD.md"],
    });
    const signer =
      evidence.outcome === "signed" && evidence.signer.kind === "keyless" ? evidence.signer : undefined;
    expect(Math.abs(Date.now() - signer!.signedAt!)).toBeLessThan(600_000);
  });

  it("finds what was changed since", () => {
    const changed = withFiles(skill, { "SKILL.md": "x", "scripts/hero.py": "x" });
    expect(verifySignature(changed, trust, Date.now())).toMatchObject({
      outcome: "tampered",
      signer: { identity },
      differences: [
        { path: "SKILL.md", change: "modified" },
        { path: "scripts/hero.py", change: "added" },
      ],
    });
  });

  it("proves nothing by a log that nobody here trusts, or whose key has ended", async () => {
    const other = await testSigstore();
    const stranger = readTrustedRoot(JSON.stringify(other.trustedRoot), ["other/sigstore"]);
    for (const roots of [
      [],
      [stranger],
      [rootOf({ "tlogs.0.publicKey.validFor.end": "2024-01-01T00:00:00Z" })],
    ]) {
      expect(withBundle(bundle, trustOf(...roots))).toMatchObject({
        outcome: "untrusted",
        fault: "UNTRUSTED_SIGNER",
        selfConsistent: true,
        signer: { identity, roots: [] },
      });
    }
  });

  it("is refused, when the card names somebody else than its certificate", async () => {
    const named = (claims: Readonly<Record<string, string>>) =>
      keylessCardSkill({ sigstore, claims }).then((made) => verifySignature(made.skill, trust, Date.now()));
    expect(await named({ cert_identity: identity, cert_issuer: issuer })).toMatchObject({
      outcome: "signed",
    });
    expect(await named({ cert_identity: "mallory@example.com" })).toMatchObject({
      fault: "MANIFEST_MALFORMED",
      detail: expect.stringMatching(
        /the card says .* identity "mallory@example.com", its certificate says/,
      ) as string,
    });
    expect(await named({ cert_issuer: "https://accounts.example.com" })).toMatchObject({
      fault: "MANIFEST_MALFORMED",
    });
    expect(await named({ cert_identity: ".*" })).toMatchObject({ fault: "MANIFEST_MALFORMED" });
  });

  it("is refused, when the signature file is missing", () => {
    const without = withFiles(skill, { "CARD.md.sigstore": undefined });
    expect(verifySignature(without, trust, Date.now())).toMatchObject({
      fault: "MANIFEST_MALFORMED",
      detail: expect.stringMatching(/CARD\.md\.sigstore, which holds the signature, is missing/) as string,
    });
  });

  it("is refused, when the signature is over another message", async () => {
    const other = await legacyBundle(sigstore, Buffer.from(`${digest}\n`));
    expect(withBundle(other)).toMatchObject({ outcome: "untrusted", fault: "BAD_SIGNATURE" });
  });

  it("is refused, when the entry is of another kind, or about another signature", async () => {
    const message = Buffer.from(digest);
    const kind = await legacyBundle(sigstore, message, { kind: "rekord 0.0.1" });
    expect(withBundle(kind)).toMatchObject({ fault: "UNSUPPORTED_FORMAT" });
    const another = await legacyBundle(sigstore, message);
    const stolen = edited(bundle, { rekorBundle: valueAt(another, "rekorBundle") as object });
    expect(withBundle(stolen)).toMatchObject({ outcome: "untrusted", fault: "BAD_SIGNATURE" });
    const digests = await legacyBundle(sigstore, message, {
      body: (body) => edited(body, { "spec.data.hash.value": "ab".repeat(32) }),
    });
    expect(withBundle(digests)).toMatchObject({ outcome: "untrusted", fault: "UNTRUSTED_SIGNER" });
  });

  it.each<[string, Readonly<Record<string, Edit>>]>([
    ["another time", { "rekorBundle.Payload.integratedTime": 1_700_000_000 }],
    ["another place", { "rekorBundle.Payload.logIndex": 99_999 }],
    ["another log", { "rekorBundle.Payload.logID": "ab".repeat(32) }],
    ["another promise", { "rekorBundle.SignedEntryTimestamp": flipped() }],
    ["another body", { "rekorBundle.Payload.body": flipped(-9) }],
    ["another signature", { base64Signature: flipped() }],
  ])("is refused with %s than the log's", (_what, edits) => {
    expect(withBundle(edited(bundle, edits)).outcome).toBe("untrusted");
  });

  it("may have a bundle of Sigstore's instead, as newer clients write it", async () => {
    const message = Buffer.from(digest);
    const signed = { outcome: "signed", signer: { identity, roots: [root.fingerprint] } };
    for (const entry of ["hashedrekord 0.0.1", "hashedrekord 0.0.2"] as const)
      expect(withBundle(await signArtifact(sigstore, message, { entry }))).toMatchObject(signed);
    const newer = await signArtifact(sigstore, message);
    expect(withBundle(newer, trustOf())).toMatchObject({ fault: "UNTRUSTED_SIGNER", signer: { identity } });
    expect(withBundle(await signArtifact(sigstore, Buffer.from("x")))).toMatchObject({
      fault: "BAD_SIGNATURE",
    });
    const other = await signArtifact(sigstore, Buffer.from("x"));
    const claimed = {
      "messageSignature.messageDigest": valueAt(newer, "messageSignature.messageDigest") as object,
    };
    expect(withBundle(edited(other, claimed))).toMatchObject({ fault: "BAD_SIGNATURE" });
    expect(withBundle(edited(newer, { "messageSignature.signature": flipped() })).outcome).toBe("untrusted");
    const proof = "verificationMaterial.tlogEntries.0.inclusionProof";
    expect(withBundle(edited(newer, { [proof]: undefined }))).toMatchObject({ fault: "UNSUPPORTED_FORMAT" });
    const unlogged = edited(newer, { "verificationMaterial.tlogEntries": [] });
    expect(withBundle(unlogged)).toMatchObject({ outcome: "untrusted" });
    const byKey = await signArtifact(sigstore, message, { key: newKey() });
    expect(withBundle(byKey)).toMatchObject({ fault: "UNSUPPORTED_FORMAT" });
    const statement = await signArtifact(sigstore, message, { statement: statementAbout(sha256Of(message)) });
    expect(withBundle(statement)).toMatchObject({ fault: "UNSUPPORTED_FORMAT" });
  });

  it("is refused with any value of its bundle changed", () => {
    fc.assert(
      fc.property(fc.constantFrom(...placesOf(bundle)), fc.jsonValue(), (path, value) => {
        fc.pre(JSON.stringify(value) !== JSON.stringify(valueAt(bundle, path)));
        expect(withBundle(edited(bundle, { [path]: () => value })).outcome).toBe("untrusted");
      }),
      runs(100),
    );
  });
});
