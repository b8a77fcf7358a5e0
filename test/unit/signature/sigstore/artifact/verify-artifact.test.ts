import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseArtifactBundle } from "../../../../../src/signature/sigstore/artifact/bundle.ts";
import type { Artifact } from "../../../../../src/signature/sigstore/artifact.ts";
import { readTrustedRoot } from "../../../../../src/signature/sigstore/root/trusted-root.ts";
import {
  verifyArtifact,
  type ArtifactTrust,
  type ArtifactVerdict,
} from "../../../../../src/signature/sigstore/artifact/verify-artifact.ts";
import { SignatureError } from "../../../../../src/signature/signature-error.ts";
import { edited, flipped, placesOf, type Edit, valueAt } from "../../../../fixtures/edited.ts";
import { runs } from "../../../../fixtures/property-runs.ts";
import {
  newEd25519Key,
  newKey,
  sha256Of,
  signArtifact,
  statementAbout,
  trustedKey,
  type ArtifactDraft,
} from "../../../../fixtures/sigstore-artifact.ts";
import { identity, issuer, testSigstore } from "../../../../fixtures/sigstore.ts";

const sigstore = await testSigstore();
const rootOf = (edits: Readonly<Record<string, Edit>> = {}) =>
  readTrustedRoot(JSON.stringify(edited(sigstore.trustedRoot, edits)), ["ours/sigstore"]);
const root = rootOf();

const key = newKey();
const trust: ArtifactTrust = { keys: [trustedKey(key)], sigstore: [root] };
const artifact = Buffer.from('{"schemaVersion":1}');
const sha256 = sha256Of(artifact);
const now = Date.now();

const verify = (bundle: object, asked: Artifact = { bytes: artifact }, by = trust): ArtifactVerdict => {
  try {
    return verifyArtifact(parseArtifactBundle(Buffer.from(JSON.stringify(bundle))), asked, by, now);
  } catch (refusal) {
    if (!(refusal instanceof SignatureError)) throw refusal;
    return { outcome: "refused", refusal, selfConsistent: false };
  }
};

const make = (draft: ArtifactDraft = {}): Promise<object> => signArtifact(sigstore, artifact, draft);
const about = statementAbout(sha256);

/** An artifact by its bytes and by its digest. */
const ways: readonly [string, Artifact, Artifact][] = [
  ["bytes", { bytes: artifact }, { bytes: Buffer.from("{}") }],
  ["digest", { sha256 }, { sha256: sha256Of(Buffer.from("{}")) }],
];

const drafts: readonly [string, ArtifactDraft][] = [
  ["a message by certificate, Rekor 1", {}],
  ["a message by certificate, Rekor 2", { entry: "hashedrekord 0.0.2" }],
  ["a message by key, Rekor 1", { key }],
  ["a message by key, Rekor 2", { key, entry: "hashedrekord 0.0.2" }],
  ["a message by key, Rekor 2 without a time", { key, entry: "hashedrekord 0.0.2", timestamp: false }],
  ["a statement by certificate, dsse 0.0.1", { statement: about, entry: "dsse 0.0.1" }],
  ["a statement by certificate, dsse 0.0.2", { statement: about, entry: "dsse 0.0.2" }],
  ["a statement by certificate, hashedrekord 0.0.1", { statement: about }],
  ["a statement by certificate, hashedrekord 0.0.2", { statement: about, entry: "hashedrekord 0.0.2" }],
  ["a statement by certificate, intoto 0.0.2", { statement: about, entry: "intoto 0.0.2" }],
  ["a statement by key, intoto 0.0.2", { key, statement: about, entry: "intoto 0.0.2" }],
  ["a statement by key, dsse 0.0.1", { key, statement: about, entry: "dsse 0.0.1" }],
];

describe.each(ways)("verifyArtifact by %s", (_way, asked, other) => {
  it.each(drafts)("proves %s", async (_what, draft) => {
    const verdict = verify(await make(draft), asked);
    expect(verdict).toMatchObject({
      outcome: "proved",
      roots: [root.fingerprint],
      signer:
        draft.key === undefined
          ? { kind: "keyless", identity, issuer }
          : { kind: "key", key: { names: ["ours/key"] } },
    });
    expect("signedAt" in verdict).toBe(draft.timestamp !== false);
  });

  it.each(drafts)("refuses %s about another artifact", async (_what, draft) => {
    expect(verify(await make(draft), other)).toMatchObject({
      outcome: "refused",
      refusal: { code: "BAD_SIGNATURE" },
    });
  });

  it.each(["P-256", "P-384", "P-521"])("takes SHA-256 by a key on %s", async (curve) => {
    const pair = newKey(curve);
    const bundle = await make({ key: pair });
    expect(verify(bundle, asked, { ...trust, keys: [trustedKey(pair)] })).toMatchObject({
      outcome: "proved",
    });
    const broken = edited(bundle, { "messageSignature.signature": flipped(12) });
    expect(verify(broken, asked, { ...trust, keys: [trustedKey(pair)] })).toMatchObject({
      outcome: "refused",
      refusal: { code: "BAD_SIGNATURE" },
    });
  });

  it("finds the key among several, and refuses a key that is none of them", async () => {
    const others = [newKey("P-384"), newEd25519Key(), newKey()].map((pair) => trustedKey(pair, "r/o"));
    const bundle = await make({ key });
    expect(verify(bundle, asked, { ...trust, keys: [...others, trustedKey(key)] })).toMatchObject({
      outcome: "proved",
      signer: { key: { names: ["ours/key"] } },
    });
    const refused = verify(bundle, asked, { ...trust, keys: others });
    expect(refused).toMatchObject({ outcome: "refused", refusal: { code: "UNTRUSTED_SIGNER" } });
    expect(verify(bundle, asked, { ...trust, keys: [] })).toMatchObject({ outcome: "refused" });
    expect(verify(bundle, asked, { ...trust, keys: others.slice(0, 1) })).toMatchObject({
      outcome: "refused",
      refusal: { code: "BAD_SIGNATURE" },
    });
  });
});

describe("verifyArtifact", () => {
  it("takes the digest of the curve by bytes, and says that SHA-256 alone does not do", async () => {
    const pair = newKey("P-384");
    const by = { ...trust, keys: [trustedKey(pair)] };
    const bundle = await make({ key: pair, hash: "sha384" });
    expect(verify(bundle, { bytes: artifact }, by)).toMatchObject({ outcome: "proved" });
    const refused = verify(bundle, { sha256 }, by);
    expect(refused).toMatchObject({ outcome: "refused", refusal: { code: "UNSUPPORTED_FORMAT" } });
    expect(refused).toHaveProperty("refusal.message", expect.stringContaining("give the artifact itself"));
  });

  it("takes Ed25519 by bytes, and says that a digest alone does not do", async () => {
    const pair = newEd25519Key();
    const by = { ...trust, keys: [trustedKey(pair)] };
    const bundle = await make({ key: pair });
    expect(verify(bundle, { bytes: artifact }, by)).toMatchObject({ outcome: "proved" });
    const refused = verify(bundle, { sha256 }, by);
    expect(refused).toMatchObject({ outcome: "refused", refusal: { code: "UNSUPPORTED_FORMAT" } });
    expect(refused).toHaveProperty("refusal.message", expect.stringContaining("its digest alone"));
  });

  it.each<[string, ArtifactDraft]>([
    ["v0.1", { mediaType: "application/vnd.dev.sigstore.bundle+json;version=0.1", chain: true }],
    ["v0.2", { mediaType: "application/vnd.dev.sigstore.bundle+json;version=0.2", chain: true }],
    ["v0.2 by key", { mediaType: "application/vnd.dev.sigstore.bundle+json;version=0.2", key }],
    ["v0.3 in its older spelling", { mediaType: "application/vnd.dev.sigstore.bundle+json;version=0.3" }],
    ["v0.3", { mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json" }],
  ])("reads bundles of %s", async (_version, draft) => {
    expect(verify(await make(draft))).toMatchObject({ outcome: "proved" });
  });

  it.each<[string, ArtifactDraft, string]>([
    ["of v0.4", { mediaType: "application/vnd.dev.sigstore.bundle.v0.4+json" }, "UNSUPPORTED_FORMAT"],
    ["of v0.3 with a chain", { chain: true }, "MANIFEST_MALFORMED"],
    ["without a log entry", { entry: null }, "UNTRUSTED_SIGNER"],
    ["without a log entry, with a timestamp", { entry: null, timestamp: true }, "UNTRUSTED_SIGNER"],
    ["of Rekor 2 without a time", { entry: "hashedrekord 0.0.2", timestamp: false }, "UNTRUSTED_SIGNER"],
    ["by key without a log entry", { key, entry: null }, "UNTRUSTED_SIGNER"],
    ["around a message with an envelope's entry", { entry: "dsse 0.0.1" }, "UNTRUSTED_SIGNER"],
  ])("refuses a bundle %s", async (_what, draft, code) => {
    expect(verify(await make(draft))).toMatchObject({ outcome: "refused", refusal: { code } });
  });

  it("does without a log for a key, where the caller says so, and never for a certificate", async () => {
    const log = { ...trust, log: "ifPresent" } as const;
    const alone = await make({ key, entry: null });
    expect(verify(alone, undefined, log)).toMatchObject({ outcome: "proved", roots: [] });
    expect(verify(alone, undefined, { ...log, sigstore: [] })).toMatchObject({ outcome: "proved" });
    const stamped = await make({ key, entry: null, timestamp: true });
    expect(verify(stamped, undefined, log)).toMatchObject({ outcome: "proved", roots: [root.fingerprint] });
    expect(verify(await make({ entry: null, timestamp: true }), undefined, log)).toMatchObject({
      outcome: "refused",
    });
  });

  it("refuses what a bundle brings and nobody can check, also where it could do without", async () => {
    const log = { ...trust, log: "ifPresent" } as const;
    const bundle = await make({ key });
    expect(verify(bundle, undefined, { ...log, sigstore: [] })).toMatchObject({
      outcome: "refused",
      selfConsistent: true,
      refusal: { code: "UNTRUSTED_SIGNER" },
    });
    const stamp = "verificationMaterial.timestampVerificationData.rfc3161Timestamps.0.signedTimestamp";
    const stamped = await make({ key, entry: null, timestamp: true });
    const broken = edited(stamped, { [stamp]: flipped(-10) });
    expect(verify(broken, undefined, log)).toMatchObject({ outcome: "refused" });
  });

  it("holds a log without a stated time against the time of asking", async () => {
    const bundle = await make({ key, entry: "hashedrekord 0.0.2", timestamp: false });
    const retired = rootOf({ "tlogs.0.publicKey.validFor.end": "2024-01-01T00:00:00Z" });
    expect(verify(bundle, undefined, { ...trust, sigstore: [retired] })).toMatchObject({
      outcome: "refused",
      refusal: { code: "UNTRUSTED_SIGNER" },
    });
  });

  it.each<[string, ArtifactDraft]>([
    ["certificate", {}],
    ["key", { key }],
  ])("refuses an entry about another %s's signature", async (_by, draft) => {
    const bundle = await make(draft);
    const other = await make(draft.key === undefined ? {} : { key: newKey() });
    const path = "verificationMaterial.tlogEntries.0";
    const stolen = edited(bundle, { [path]: valueAt(other, path) as object });
    expect(verify(stolen)).toMatchObject({ outcome: "refused", refusal: { code: "BAD_SIGNATURE" } });
  });

  it("refuses a key in the entry of a certificate's signature, and the other way round", async () => {
    const swap = (from: string, to: string) => (body: object) => {
      const path = "spec.hashedRekordV002.signature.verifier";
      const verifier = valueAt(body, path) as Record<string, object>;
      return edited(body, { [path]: { [to]: verifier[from] } });
    };
    const entry = "hashedrekord 0.0.2";
    const certificate = await make({ entry, body: swap("x509Certificate", "publicKey") });
    expect(verify(certificate)).toMatchObject({ outcome: "refused" });
    const byKey = await make({ key, entry, body: swap("publicKey", "x509Certificate") });
    expect(verify(byKey)).toMatchObject({ outcome: "refused" });
  });
});

describe("verifyArtifact on statements", () => {
  const said = (statement: object) => make({ statement, entry: "dsse 0.0.1" });

  it("takes one about several artifacts, and says what kind it is", async () => {
    expect(verify(await said(statementAbout("00".repeat(32), sha256)))).toMatchObject({
      outcome: "proved",
      statement: { predicateType: "https://example.test/said", subjects: ["00".repeat(32), sha256] },
    });
  });

  it.each<[string, object, string]>([
    ["about another artifact", statementAbout("00".repeat(32)), "other artifacts"],
    ["about nothing", statementAbout(), "about nothing"],
    ["about a digest in capital letters", statementAbout(sha256.toUpperCase()), "other artifacts"],
    ["about the start of the digest", statementAbout(sha256.slice(0, 32)), "other artifacts"],
    [
      "about the digest by another name",
      { ...about, subject: [{ name: "a", digest: { sha512: sha256 } }] },
      "about nothing",
    ],
    ["without a type", { ...about, _type: undefined }, "_type is missing"],
    ["of another type", { ...about, _type: "https://in-toto.io/Statement/v2" }, "Statement/v2"],
    ["without a predicate's type", { ...about, predicateType: undefined }, "predicateType is missing"],
    ["whose subject is no list", { ...about, subject: { digest: { sha256 } } }, "not a list"],
    ["whose digest is no text", { ...about, subject: [{ digest: { sha256: 1 } }] }, "not text"],
    ["with too many subjects", statementAbout(...Array<string>(1_025).fill(sha256)), "more than 1024"],
  ])("refuses one %s, whoever signed it", async (_what, statement, detail) => {
    const verdict = verify(await said(statement));
    expect(verdict).toMatchObject({ outcome: "refused" });
    expect(verdict).toHaveProperty("refusal.message", expect.stringContaining(detail));
  });

  it("refuses an envelope around something else", async () => {
    const other = edited(await said(about), { "dsseEnvelope.payloadType": "text/plain" });
    expect(verify(other)).toMatchObject({ refusal: { code: "UNSUPPORTED_FORMAT" } });
  });
});

describe.each([
  ["message by certificate", await make()],
  ["message by key", await make({ key })],
  ["statement by key", await make({ key, statement: about, entry: "hashedrekord 0.0.2" })],
])("verifyArtifact on a changed bundle: %s", (_what, good) => {
  it("refuses every change in any place that is read", () => {
    // The key's hint and, in Rekor 2, the log index are not signed.
    const free = /(?:hint|keyid|verificationMaterial\.publicKey|tlogEntries\.0\.logIndex)$/;
    fc.assert(
      fc.property(fc.constantFrom(...placesOf(good)), fc.jsonValue(), (path, value) => {
        fc.pre(!free.test(path) && JSON.stringify(value) !== JSON.stringify(valueAt(good, path)));
        // An absent number is zero, the index in this log; a key needs no timestamp.
        fc.pre(!path.endsWith("inclusionProof.logIndex") || value !== null);
        fc.pre(!/timestampVerificationData(?:\.rfc3161Timestamps)?$/.test(path));
        expect(verify(edited(good, { [path]: () => value })).outcome).toBe("refused");
      }),
      runs(150),
    );
  });

  it("refuses every flipped bit of signature, key, entry and digest", () => {
    const places = placesOf(good).filter((path) =>
      /(?:rawBytes|canonicalizedBody|signature|sig|payload|messageDigest\.digest|keyId)$/.test(path),
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...places.filter((path) => typeof valueAt(good, path) === "string")),
        fc.nat(),
        (path, at) => {
          const { length } = Buffer.from(valueAt(good, path) as string, "base64");
          expect(verify(edited(good, { [path]: flipped(at % length) })).outcome).toBe("refused");
        },
      ),
      runs(150),
    );
  });
});

describe("parseArtifactBundle", () => {
  it.each<[string, Readonly<Record<string, Edit>>, string]>([
    ["an unknown field", { extra: 1 }, "unknown field"],
    ["no signature at all", { messageSignature: undefined }, "exactly one of messageSignature"],
    ["two kinds of signatures", { dsseEnvelope: {} }, "exactly one of messageSignature"],
    ["no material", { verificationMaterial: undefined }, "verificationMaterial is missing"],
    ["two materials", { "verificationMaterial.publicKey": {} }, "exactly one of publicKey"],
    ["no digest", { "messageSignature.messageDigest": undefined }, "messageDigest is missing"],
    ["an unknown digest", { "messageSignature.messageDigest.algorithm": "MD5" }, "MD5"],
    ["a signature that is no base64", { "messageSignature.signature": "a b" }, "not plain base64"],
    ["an unknown field of the message", { "messageSignature.extra": 1 }, "unknown field"],
    [
      "too many entries",
      { "verificationMaterial.tlogEntries": [1, 2, 3, 4, 5] },
      "tlogEntries has more than 4",
    ],
    ["an entry that is none", { "verificationMaterial.tlogEntries": [1] }, "tlogEntries[0]"],
  ])("refuses %s", async (_what, edits, detail) => {
    const text = JSON.stringify(edited(await make(), edits));
    expect(() => parseArtifactBundle(Buffer.from(text))).toThrow(SignatureError);
    expect(() => parseArtifactBundle(Buffer.from(text))).toThrow(detail);
  });

  it("refuses a key twice, and what is no JSON", async () => {
    const text = JSON.stringify(await make());
    expect(() => parseArtifactBundle(Buffer.from(text.replace("{", '{"mediaType":"x",')))).toThrow("twice");
    expect(() => parseArtifactBundle(Buffer.from(text.slice(0, -1)))).toThrow("not JSON");
  });

  it("throws nothing but SignatureError, whatever it is given", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(() => parseArtifactBundle(Buffer.from(text))).toThrow(SignatureError);
      }),
    );
  });
});
