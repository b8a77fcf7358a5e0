/** Cases that the conformance suite lacks and that verifiers got wrong. */
import { describe, expect, it } from "vitest";
import { onePublisher } from "../../../../src/policy/compile/one-publisher.ts";
import { PolicyError } from "../../../../src/policy/policy-error.ts";
import { isByPublisher } from "../../../../src/policy/rules/publishers.ts";
import { always } from "../../../../src/signature/validity.ts";
import { parseArtifactBundle } from "../../../../src/signature/sigstore/artifact/bundle.ts";
import {
  verifyArtifact,
  type ArtifactVerdict,
} from "../../../../src/signature/sigstore/artifact/verify-artifact.ts";
import { sha256 } from "../../../../src/skill/digest.ts";
import { issueAuthority } from "../../../fixtures/certificates.ts";
import { edited, type Edit, valueAt } from "../../../fixtures/edited.ts";
import {
  sha256Of,
  signArtifact,
  statementAbout,
  type ArtifactDraft,
} from "../../../fixtures/sigstore-artifact.ts";
import { identity, issuer, testSigstore } from "../../../fixtures/sigstore.ts";

const sigstore = await testSigstore();
const artifact = Buffer.from("an artifact");
const asked = { bytes: artifact };
const make = (draft: ArtifactDraft = {}): Promise<object> => signArtifact(sigstore, artifact, draft);

const trustedRoot = (edits: Readonly<Record<string, Edit>> = {}): string =>
  JSON.stringify(edited(sigstore.trustedRoot, edits));

/** A policy with one signer, on a trusted root. */
const policyOf = (who: string, text = trustedRoot()) =>
  onePublisher(
    "p",
    { name: "ci", keyless: { trustRootRef: { name: "trust-root" }, issuer, identity: who } },
    { sigstore: [{ name: "root", trustedRoot: text }] },
  );

function verify(bundle: object, edits: Readonly<Record<string, Edit>> = {}): ArtifactVerdict {
  const { trust } = policyOf(identity, trustedRoot(edits));
  const parsed = parseArtifactBundle(Buffer.from(JSON.stringify(bundle)));
  return verifyArtifact(parsed, asked, { keys: [], sigstore: trust.sigstore ?? [] }, Date.now());
}

/** Whether a policy with this identity accepts the signer. */
async function accepts(who: string, signedBy = identity): Promise<boolean> {
  const verdict = verify(await make({ certificate: { identity: signedBy } }));
  if (verdict.outcome === "refused" || verdict.signer.kind !== "keyless") throw new Error("not proved");
  const { signer } = verdict;
  return isByPublisher(policyOf(who).policies[0]!, {
    outcome: "signed",
    format: "oms",
    digest: sha256(""),
    signer,
    unlisted: [],
    validity: always,
  });
}

describe("a statement in an envelope", () => {
  it("proves the artifacts that it names, and no other", async () => {
    const about = (...digests: string[]) =>
      make({ statement: statementAbout(...digests), entry: "dsse 0.0.1" });
    expect(verify(await about(sha256Of(artifact)))).toMatchObject({ outcome: "proved" });
    expect(verify(await about(sha256Of(Buffer.from("another"))))).toMatchObject({
      outcome: "refused",
      refusal: { code: "BAD_SIGNATURE" },
    });
    expect(verify(await about())).toMatchObject({ outcome: "refused" });
  });
});

describe("an identity", () => {
  it("is compared whole, and is no pattern", async () => {
    expect(await accepts(identity)).toBe(true);
    for (const other of [
      ".*",
      identity.slice(0, -1),
      identity.slice(8),
      identity.replace("acme", "....").replaceAll("/", "."),
      `${identity}|x`,
      `^${identity}$`,
    ])
      expect(await accepts(other), other).toBe(false);
  });

  it("has dots that stand for dots", async () => {
    expect(await accepts(identity, identity.replace("github.com", "githubxcom"))).toBe(false);
  });
});

describe("a log's key", () => {
  it.each<[string, Readonly<Record<string, Edit>>]>([
    ["that is retired", { "tlogs.0.publicKey.validFor.end": "2024-01-01T00:00:00Z" }],
    ["that is not trusted yet", { "tlogs.0.publicKey.validFor.start": "2200-01-01T00:00:00Z" }],
  ])("%s proves nothing: no promise, and no checkpoint of Rekor 2", async (_what, edits) => {
    for (const entry of ["hashedrekord 0.0.1", "hashedrekord 0.0.2"] as const) {
      const bundle = await make({ entry });
      expect(verify(bundle)).toMatchObject({ outcome: "proved" });
      expect(verify(bundle, edits)).toMatchObject({
        outcome: "refused",
        refusal: { code: "UNTRUSTED_SIGNER" },
      });
    }
  });

  it("counts to the last moment of its validity, inclusive", async () => {
    const bundle = await make({ entry: "hashedrekord 0.0.2" });
    const proved = verify(bundle);
    if (proved.outcome === "refused" || proved.signedAt === undefined) throw new Error("not proved");
    const at = (time: number) => ({ "tlogs.0.publicKey.validFor.end": new Date(time).toISOString() });
    expect(verify(bundle, at(proved.signedAt))).toMatchObject({ outcome: "proved" });
    expect(verify(bundle, at(proved.signedAt - 1))).toMatchObject({ outcome: "refused" });
  });
});

describe("a self-signed certificate in a bundle's chain", () => {
  it("is refused, and never trusted", async () => {
    const { certificate } = await issueAuthority();
    const mediaType = "application/vnd.dev.sigstore.bundle+json;version=0.1";
    const chained = await make({ mediaType, chain: true });
    const list = "verificationMaterial.x509CertificateChain.certificates";
    const [leaf] = valueAt(chained, list) as readonly object[];
    expect(verify(chained)).toMatchObject({ outcome: "proved" });
    const brought = edited(chained, {
      [list]: [leaf, { rawBytes: certificate.raw.toString("base64") }],
    });
    expect(verify(brought)).toMatchObject({
      outcome: "refused",
      refusal: { code: "MANIFEST_MALFORMED" },
    });
  });
});

describe("a trusted root", () => {
  it.each([
    "tlogs.0.publicKey.validFor.start",
    "ctlogs.0.publicKey.validFor.start",
    "certificateAuthorities.0.validFor.start",
    "timestampAuthorities.0.validFor.start",
  ])("without %s is refused, and not one of 1970", (path) => {
    expect(() => policyOf(identity, trustedRoot({ [path]: undefined }))).toThrow(PolicyError);
    expect(() => policyOf(identity, trustedRoot({ [path]: undefined }))).toThrow("validFor.start");
    const since1970 = trustedRoot({ [path]: "1970-01-01T00:00:00Z" });
    expect(policyOf(identity, since1970).trust.sigstore).toHaveLength(1);
  });
});
