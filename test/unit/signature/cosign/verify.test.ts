import fc from "fast-check";
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { FetchedManifest } from "../../../../src/signature/cosign/manifest.ts";
import { verifyCosign } from "../../../../src/signature/cosign/verify.ts";
import type { SignatureEvidence } from "../../../../src/signature/signature-evidence.ts";
import { readTrustedRoot } from "../../../../src/signature/sigstore/root/trusted-root.ts";
import type { TrustMaterial } from "../../../../src/signature/trust-material.ts";
import { trustOf } from "../../../fixtures/certificates.ts";
import {
  imageOf,
  keyAnnotations,
  keyBundle,
  keylessAnnotations,
  manifestOf,
  referrer,
  signStatement,
  simpleLayer,
  simplePayload,
} from "../../../fixtures/cosign.ts";
import { edited, flipped, placesOf, valueAt, type Edit } from "../../../fixtures/edited.ts";
import { runs } from "../../../fixtures/property-runs.ts";
import { identity, issuer, testSigstore } from "../../../fixtures/sigstore.ts";

const image = imageOf("ours");
const other = imageOf("another");

const sigstore = await testSigstore();
const root = readTrustedRoot(JSON.stringify(sigstore.trustedRoot), ["ours/sigstore"]);
const { privateKey: key } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const keyTrust = trustOf({ keys: [createPublicKey(key)] });
const trust: TrustMaterial = { ...keyTrust, sigstore: [root] };

const verifyAll = (manifests: readonly FetchedManifest[], by = trust, of = image) =>
  verifyCosign(of, manifests, by, Date.now());
const verify = (manifest: FetchedManifest, by = trust, of = image): SignatureEvidence =>
  verifyAll([manifest], by, of)[0];

const keyless = await sigstore.sign(signStatement(image));
const byKey = await keyBundle(signStatement(image), key);
const payload = simplePayload(image);
const annotations = await keylessAnnotations(sigstore, payload, { timestamp: true });
const keyed = await keyAnnotations(payload, key);
const legacy = (notes: object = annotations, content = payload, more = {}) =>
  manifestOf([simpleLayer(content, notes)], more);

describe("verifyCosign on bundles that refer to the image", () => {
  it("proves a keyless signer", () => {
    expect(verify(referrer(image, keyless))).toMatchObject({
      outcome: "signed",
      format: "cosign",
      digest: image,
      unlisted: [],
      signer: { kind: "keyless", identity, issuer, roots: [root.fingerprint] },
    });
  });

  it("proves a key of the trust material", () => {
    expect(verify(referrer(image, byKey))).toMatchObject({
      outcome: "signed",
      signer: { kind: "key", publicKey: keyTrust.keys[0]!.fingerprint },
    });
  });

  it("takes a key's signature that is in a log, and leaves a log unread that nobody trusts", async () => {
    const logged = referrer(image, await keyBundle(signStatement(image), key, sigstore));
    expect(verify(logged)).toMatchObject({ outcome: "signed", signer: { kind: "key" } });
    expect(verify(logged, keyTrust)).toMatchObject({ outcome: "signed", signer: { kind: "key" } });
    const stranger = await keyBundle(signStatement(image), key, await testSigstore());
    expect(verify(referrer(image, stranger))).toMatchObject({ outcome: "signed" });
  });

  it("refuses a key's signature whose entry in a trusted log is about something else", async () => {
    const elsewhere = await keyBundle(signStatement(other), key, sigstore);
    const entries = valueAt(elsewhere, "verificationMaterial.tlogEntries") as object;
    const stolen = edited(byKey, { "verificationMaterial.tlogEntries": entries });
    expect(verify(referrer(image, stolen))).toMatchObject({
      outcome: "untrusted",
      selfConsistent: true,
      signer: { kind: "key" },
    });
  });

  it("trusts nobody for what a bundle brings", async () => {
    const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
    const unknown = referrer(image, await keyBundle(signStatement(image), stranger));
    expect(verify(unknown)).toMatchObject({ outcome: "untrusted" });
    expect(verify(referrer(image, keyless), keyTrust)).toMatchObject({
      outcome: "untrusted",
      fault: "UNTRUSTED_SIGNER",
      selfConsistent: true,
      signer: { identity, roots: [] },
    });
    const elsewhere = readTrustedRoot(JSON.stringify((await testSigstore()).trustedRoot), ["other/sigstore"]);
    expect(verify(referrer(image, keyless), { ...keyTrust, sigstore: [elsewhere] })).toMatchObject({
      outcome: "untrusted",
      fault: "UNTRUSTED_SIGNER",
    });
  });

  it("refuses a valid signature of another image, whatever refers to this one", async () => {
    const elsewhere = await keyBundle(signStatement(other), key);
    expect(verify(referrer(image, elsewhere))).toMatchObject({
      outcome: "untrusted",
      fault: "BAD_SIGNATURE",
    });
    expect(verify(referrer(image, await sigstore.sign(signStatement(other))))).toMatchObject({
      outcome: "untrusted",
      fault: "BAD_SIGNATURE",
    });
    expect(verify(referrer(other, byKey))).toMatchObject({
      outcome: "untrusted",
      fault: "MANIFEST_MALFORMED",
      detail: expect.stringContaining("subject") as string,
    });
  });

  it("does not take a statement of another kind for a signature, whatever the annotations say", async () => {
    const provenance = signStatement(image, { predicateType: "https://slsa.dev/provenance/v1" });
    expect(verify(referrer(image, await keyBundle(provenance, key)))).toEqual({
      outcome: "unsigned",
      digest: image,
      validity: expect.anything() as object,
    });
  });

  it("goes by what is in the bundle, not by annotations", () => {
    const lies = { annotations: { "dev.sigstore.bundle.predicateType": "https://slsa.dev/provenance/v1" } };
    expect(verify(referrer(image, byKey, lies))).toMatchObject({ outcome: "signed" });
    expect(verify(referrer(image, byKey, { annotations: undefined }))).toMatchObject({ outcome: "signed" });
  });

  it("refuses the signature of a message, which cosign does not make for images", () => {
    const message = edited(byKey, {
      dsseEnvelope: undefined,
      messageSignature: {
        messageDigest: { algorithm: "SHA2_256", digest: Buffer.alloc(32).toString("base64") },
        signature: "AAAA",
      },
    });
    expect(verify(referrer(image, message))).toMatchObject({
      outcome: "untrusted",
      fault: "UNSUPPORTED_FORMAT",
    });
  });

  it.each<[string, Readonly<Record<string, Edit>>]>([
    ["another signature", { "dsseEnvelope.signatures.0.sig": flipped(-1) }],
    ["two signatures", { "dsseEnvelope.signatures.1": { sig: "AAAA" } }],
    ["no signature", { "dsseEnvelope.signatures": [] }],
    ["another payload type", { "dsseEnvelope.payloadType": "application/json" }],
    ["no entry in a log", { "verificationMaterial.tlogEntries": [] }],
    ["another certificate", { "verificationMaterial.certificate.rawBytes": flipped(-1) }],
    ["another media type", { mediaType: "application/json" }],
    ["an unknown field", { extra: 1 }],
  ])("refuses a bundle with %s", (_what, edits) => {
    expect(verify(referrer(image, edited(keyless, edits)))).toMatchObject({ outcome: "untrusted" });
  });

  it("refuses a changed statement in every place that counts", () => {
    const statement = JSON.parse(Buffer.from(signStatement(image)).toString()) as object;
    for (const place of placesOf(statement)) {
      const changed = Buffer.from(JSON.stringify(edited(statement, { [place]: "x" }))).toString("base64");
      const bundle = edited(byKey, { "dsseEnvelope.payload": changed });
      expect(verify(referrer(image, bundle)).outcome, place).not.toBe("signed");
    }
  });

  it.each<[string, object]>([
    ["no subject", { subject: undefined }],
    ["a subject without a digest", { subject: { size: 1 } }],
    ["a subject by another algorithm", { subject: { digest: "sha512:aa", size: 1 } }],
    ["another schema", { schemaVersion: 1 }],
    ["no layers", { layers: undefined }],
  ])("refuses a manifest with %s", (_what, more) => {
    expect(verify(referrer(image, byKey, more))).toMatchObject({
      outcome: "untrusted",
      fault: "MANIFEST_MALFORMED",
    });
  });

  it("refuses a bundle beside other layers", () => {
    const bundle = Buffer.from(JSON.stringify(byKey));
    const layer = { mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json", content: bundle };
    const subject = { subject: { digest: image, size: 1 } };
    expect(verify(manifestOf([layer], subject))).toMatchObject({ outcome: "signed" });
    expect(verify(manifestOf([layer, layer], subject))).toMatchObject({ fault: "MANIFEST_MALFORMED" });
    expect(verify(manifestOf([layer, simpleLayer(payload, keyed)], subject))).toMatchObject({
      fault: "MANIFEST_MALFORMED",
    });
  });
});

describe("verifyCosign on payloads with annotations", () => {
  it("proves a keyless signer, with and without a timestamp", async () => {
    const proved = { outcome: "signed", digest: image, signer: { kind: "keyless", identity, issuer } };
    expect(verify(legacy())).toMatchObject(proved);
    expect(verify(legacy(await keylessAnnotations(sigstore, payload)))).toMatchObject(proved);
  });

  it.each(["P-256", "P-384", "P-521", "Ed25519"])("proves a trusted key on %s", async (curve) => {
    const { privateKey, publicKey } =
      curve === "Ed25519" ? generateKeyPairSync("ed25519") : generateKeyPairSync("ec", { namedCurve: curve });
    const manifest = legacy(await keyAnnotations(payload, privateKey));
    expect(verify(manifest, trustOf({ keys: [publicKey] }))).toMatchObject({
      outcome: "signed",
      signer: { kind: "key" },
    });
    expect(verify(manifest)).toMatchObject({ outcome: "untrusted", fault: "UNTRUSTED_SIGNER" });
  });

  it("takes a key's signature in a log, and refuses it with a trusted log's entry about another one", async () => {
    expect(verify(legacy(await keyAnnotations(payload, key, sigstore)))).toMatchObject({ outcome: "signed" });
    const elsewhere = await keyAnnotations(simplePayload(other), key, sigstore);
    const stolen = { ...keyed, "dev.sigstore.cosign/bundle": elsewhere["dev.sigstore.cosign/bundle"] };
    expect(verify(legacy(stolen))).toMatchObject({ outcome: "untrusted", signer: { kind: "key" } });
    expect(verify(legacy(stolen), keyTrust)).toMatchObject({ outcome: "signed" });
  });

  it("takes an empty annotation for an absent one", () => {
    const empty = {
      "dev.sigstore.cosign/bundle": "",
      "dev.sigstore.cosign/certificate": "",
      "dev.sigstore.cosign/rfc3161timestamp": "",
    };
    expect(verify(legacy({ ...keyed, ...empty }))).toMatchObject({
      outcome: "signed",
      signer: { kind: "key" },
    });
  });

  it("trusts no certificate that stands beside it", async () => {
    expect(verify(legacy(), keyTrust)).toMatchObject({ outcome: "untrusted", signer: { roots: [] } });
    const junk = { ...annotations, "dev.sigstore.cosign/chain": "junk" };
    expect(verify(legacy(junk))).toMatchObject({ outcome: "signed" });
    const elsewhere = await testSigstore();
    expect(verify(legacy(await keylessAnnotations(elsewhere, payload)))).toMatchObject({
      outcome: "untrusted",
      fault: "UNTRUSTED_SIGNER",
    });
  });

  it.each<[string, Uint8Array]>([
    ["another image", simplePayload(other)],
    ["no image", simplePayload("")],
    ["something else than an image", simplePayload(image, { type: "atomic container signature" })],
    ["something without a kind", simplePayload(image, { type: undefined })],
    ["more than is understood", simplePayload(image, { "valid-until": "2030" })],
    ["an image in two ways", simplePayload(image, { image: { "docker-manifest-digest": image, tag: "v1" } })],
    ["no name", simplePayload(image, { identity: {} })],
    ["a list", Buffer.from("[]")],
    ["no JSON", Buffer.from("{")],
    ["the image twice", Buffer.from(Buffer.from(payload).toString().replace("{", '{"critical":{},'))],
  ])("refuses a valid signature of %s", async (_what, content) => {
    const manifest = legacy(await keyAnnotations(content, key), content);
    expect(verify(manifest)).toMatchObject({ outcome: "untrusted" });
    const certified = legacy(await keylessAnnotations(sigstore, content), content);
    expect(verify(certified)).toMatchObject({ outcome: "untrusted" });
  });

  it("takes whatever stands in optional, which proves nothing", async () => {
    const content = Buffer.from(
      JSON.stringify({
        ...(JSON.parse(Buffer.from(payload).toString()) as object),
        optional: { creator: "me" },
      }),
    );
    expect(verify(legacy(await keyAnnotations(content, key), content))).toMatchObject({ outcome: "signed" });
  });

  const signature = "dev.cosignproject.cosign/signature";
  const bundle = "dev.sigstore.cosign/bundle";
  const stamp = "dev.sigstore.cosign/rfc3161timestamp";
  const certificate = "dev.sigstore.cosign/certificate";
  const inBundle = (edits: Readonly<Record<string, Edit>>): string =>
    JSON.stringify(edited(JSON.parse(annotations[bundle]!) as object, edits));

  it.each<[string, () => object]>([
    ["no signature", () => ({ [signature]: undefined })],
    ["another signature", () => ({ [signature]: flipped(-1)(annotations[signature]!) })],
    ["a signature that is no base64", () => ({ [signature]: "***" })],
    ["a signature that is no text", () => ({ [signature]: 1 })],
    ["no promise of a log", () => ({ [bundle]: undefined })],
    ["an empty promise", () => ({ [bundle]: "" })],
    ["a promise that is no JSON", () => ({ [bundle]: "{" })],
    ["another promise", () => ({ [bundle]: inBundle({ SignedEntryTimestamp: flipped(-1) }) })],
    [
      "another time",
      () => ({ [bundle]: inBundle({ "Payload.integratedTime": (old: string) => Number(old) + 1 }) }),
    ],
    [
      "another place in the log",
      () => ({ [bundle]: inBundle({ "Payload.logIndex": (old: string) => Number(old) + 1 }) }),
    ],
    ["another log", () => ({ [bundle]: inBundle({ "Payload.logID": "00".repeat(32) }) })],
    ["an unknown field in the promise", () => ({ [bundle]: inBundle({ extra: 1 }) })],
    ["another timestamp", () => ({ [stamp]: JSON.stringify({ SignedRFC3161Timestamp: "AAAA" }) })],
    ["a timestamp that is none", () => ({ [stamp]: "[]" })],
    ["a certificate that is none", () => ({ [certificate]: "junk" })],
    ["no certificate", () => ({ [certificate]: undefined })],
    ["two certificates", () => ({ [certificate]: annotations[certificate]!.repeat(2) })],
  ])("refuses a keyless signature with %s", (_what, change) => {
    expect(verify(legacy({ ...annotations, ...change() }))).toMatchObject({ outcome: "untrusted" });
  });

  it("refuses another signer's certificate in its place", async () => {
    const mallory = await keylessAnnotations(sigstore, payload, { identity: "https://mallory.example" });
    expect(verify(legacy({ ...annotations, [certificate]: mallory[certificate] }))).toMatchObject({
      outcome: "untrusted",
      fault: "BAD_SIGNATURE",
    });
  });

  it("refuses a manifest that refers to another image", () => {
    expect(verify(legacy(keyed, payload, { subject: { digest: image, size: 1 } }))).toMatchObject({
      outcome: "signed",
    });
    expect(verify(legacy(keyed, payload, { subject: { digest: other, size: 1 } }))).toMatchObject({
      outcome: "untrusted",
      fault: "MANIFEST_MALFORMED",
    });
  });
});

describe("verifyCosign", () => {
  it("verifies every signature, and no good one hides a bad one", async () => {
    const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
    const unknown = await keyAnnotations(payload, stranger);
    const found = verifyAll([
      manifestOf([simpleLayer(payload, unknown), simpleLayer(payload, keyed)]),
      referrer(image, edited(byKey, { mediaType: "x" })),
      referrer(image, keyless),
    ]);
    expect(found.map(({ outcome }) => outcome)).toEqual(["signed", "signed", "untrusted", "untrusted"]);
  });

  it("says that an image without signatures has none", () => {
    const image2 = manifestOf([
      { mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", content: payload },
    ]);
    expect(verifyAll([])).toMatchObject([{ outcome: "unsigned", digest: image }]);
    expect(verifyAll([image2])).toMatchObject([{ outcome: "unsigned" }]);
  });

  it("holds every layer against its digest and size", () => {
    const good = referrer(image, byKey);
    const [digest, bytes] = [...good.blobs][0]!;
    const text = Buffer.from(good.manifest).toString();
    const swapped = { ...good, blobs: new Map([[digest, Buffer.concat([bytes, Buffer.from(" ")])]]) };
    expect(verify(swapped)).toMatchObject({ outcome: "untrusted", fault: "MANIFEST_MALFORMED" });
    // Of the same length, and validly signed.
    const renamed = Buffer.from(Buffer.from(bytes).toString().replace('"anything"', '"anythinG"'));
    expect(renamed).not.toEqual(bytes);
    expect(verify(referrer(image, renamed))).toMatchObject({ outcome: "signed" });
    expect(verify({ ...good, blobs: new Map([[digest, renamed]]) })).toMatchObject({
      outcome: "untrusted",
      fault: "MANIFEST_MALFORMED",
    });
    const sized = { ...good, manifest: Buffer.from(text.replace(`"size":${bytes.byteLength}`, '"size":1')) };
    expect(verify(sized)).toMatchObject({ outcome: "untrusted", fault: "MANIFEST_MALFORMED" });
    expect(verify({ ...good, blobs: new Map() })).toMatchObject({
      outcome: "untrusted",
      detail: expect.stringContaining("is not there") as string,
    });
  });

  it("bounds manifests, layers and bytes", () => {
    const layers = Array.from({ length: 65 }, () => simpleLayer(payload, keyed));
    expect(verify(manifestOf(layers.slice(1)))).toMatchObject({ outcome: "signed" });
    expect(verify(manifestOf(layers))).toMatchObject({ fault: "MANIFEST_MALFORMED" });
    const many = Array.from({ length: 65 }, () => referrer(image, byKey));
    expect(verifyAll(many)).toMatchObject([{ outcome: "untrusted", fault: "MANIFEST_MALFORMED" }]);
    const large = Buffer.concat([payload, Buffer.alloc(1024 * 1024, " ")]);
    expect(verify(legacy(keyed, large))).toMatchObject({ fault: "MANIFEST_MALFORMED" });
    const huge = { manifest: Buffer.alloc(4 * 1024 * 1024 + 1, " "), blobs: new Map() };
    expect(verify(huge)).toMatchObject({ fault: "MANIFEST_MALFORMED" });
  });

  it("refuses what is no digest of an image", () => {
    expect(verify(referrer(image, byKey), trust, "sha256:ABC")).toMatchObject({ outcome: "untrusted" });
  });

  it("answers with evidence for whatever a registry gives", () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), fc.uint8Array(), (text, blob) => {
        const [first] = verifyAll([
          { manifest: Buffer.from(text), blobs: new Map() },
          referrer(image, blob),
          legacy(annotations, blob),
          legacy({ ...annotations, "dev.sigstore.cosign/bundle": text }),
        ]);
        expect(first.outcome).toBe("untrusted");
      }),
      runs(100),
    );
  });

  it("never proves a bundle or payload in which a bit was turned", () => {
    const texts = [Buffer.from(JSON.stringify(byKey)), Buffer.from(payload)] as const;
    fc.assert(
      fc.property(fc.constantFrom(0, 1), fc.nat(), fc.nat({ max: 7 }), (which, at, bit) => {
        const changed = Buffer.from(texts[which]);
        const index = at % changed.length;
        changed.writeUInt8(changed.readUInt8(index) ^ (1 << bit), index);
        // A bundle's hint is ignored.
        const hint = Buffer.from(changed).toString("latin1").indexOf('"hint"');
        fc.pre(which === 1 || hint < 0 || index < hint || index > hint + 20);
        const manifest = which === 0 ? referrer(image, changed) : legacy(keyed, changed);
        expect(verify(manifest).outcome).not.toBe("signed");
      }),
      runs(300),
    );
  });
});
