import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { skillLimits } from "../../../../src/skill/limits.ts";
import { bundle, changedAt, refused, withBundle } from "./delivered.ts";
import { runs } from "../../../fixtures/property-runs.ts";

const malformed = (words: string | RegExp) => refused("MANIFEST_MALFORMED", words);
const entry = "verificationMaterial.tlogEntries.0";
const material = (bundle as { verificationMaterial: { tlogEntries: object[] } }).verificationMaterial;

describe("the bundle", () => {
  it.each([
    "application/vnd.dev.sigstore.bundle+json;version=0.2",
    "application/vnd.dev.sigstore.bundle+json;version=0.3",
    "application/vnd.dev.sigstore.bundle.v0.3+json",
  ])("may be of the media type %s", (mediaType) => {
    expect(withBundle(changedAt("mediaType", mediaType)).outcome).toBe("signed");
  });

  it.each([
    "application/vnd.dev.sigstore.bundle+json;version=0.1",
    "application/vnd.dev.sigstore.bundle+json;version=0.4",
    "application/json",
    "",
  ])("is refused with the media type %j", (mediaType) => {
    expect(withBundle(changedAt("mediaType", mediaType))).toMatchObject(
      refused("UNSUPPORTED_FORMAT", "media type"),
    );
  });

  it.each<[string, string | Uint8Array, string]>([
    ["is empty", "", "vett.sigstore.json is not JSON"],
    ["is no JSON", "signed", "vett.sigstore.json is not JSON"],
    ["is not UTF-8", Buffer.from([0x7b, 0xff, 0x7d]), "is not UTF-8"],
    ["is a list", "[]", "the bundle is not an object"],
    ["has a key twice", JSON.stringify(bundle).replace("{", '{"mediaType":"a",'), "the same key twice"],
    ["is larger than what is read", Buffer.alloc(skillLimits.signatureBytes + 1, 0x20), "is larger than"],
  ])("is refused, when it %s", (_what, text, words) => {
    expect(withBundle(text)).toMatchObject(malformed(words));
  });

  it.each<[string, string, unknown, string]>([
    ["an envelope beside the message", "dsseEnvelope", {}, 'unknown field "dsseEnvelope"'],
    ["a certificate beside the key", "verificationMaterial.certificate", {}, 'unknown field "certificate"'],
    [
      "the key itself",
      "verificationMaterial.publicKey.rawBytes",
      "AAAA",
      'publicKey has the unknown field "rawBytes"',
    ],
    ["no key", "verificationMaterial.publicKey", undefined, "publicKey is missing"],
    ["no hint", "verificationMaterial.publicKey.hint", undefined, "hint is missing"],
    ["an empty hint", "verificationMaterial.publicKey.hint", "", "hint is empty"],
    ["a hint that is no text", "verificationMaterial.publicKey.hint", 1, "hint is not text"],
    ["no message", "messageSignature", undefined, "messageSignature is missing"],
    ["no digest", "messageSignature.messageDigest", undefined, "messageDigest is missing"],
    ["a digest that is short", "messageSignature.messageDigest.digest", "AAAA", "no SHA-256 digest"],
    [
      "a digest in hex",
      "messageSignature.messageDigest.digest",
      "ab".repeat(32),
      "(no SHA-256|plain base64)",
    ],
    ["no signature", "messageSignature.signature", undefined, "signature is missing"],
    ["a signature that is no base64", "messageSignature.signature", "*", "plain base64"],
    ["no log entry", "verificationMaterial.tlogEntries", [], "0 entries, expected exactly one"],
    ["no list of log entries", "verificationMaterial.tlogEntries", undefined, "expected exactly one|missing"],
    [
      "two log entries",
      "verificationMaterial.tlogEntries",
      [material.tlogEntries[0], material.tlogEntries[0]],
      "2 entries, expected exactly one",
    ],
    ["an unknown field of the entry", `${entry}.attestation`, {}, 'unknown field "attestation"'],
  ])("is refused with %s", (_what, way, value, words) => {
    expect(withBundle(changedAt(way, value))).toMatchObject(malformed(words));
  });

  it("is refused with another digest algorithm, and without an inclusion proof", () => {
    expect(withBundle(changedAt("messageSignature.messageDigest.algorithm", "SHA2_512"))).toMatchObject(
      refused("UNSUPPORTED_FORMAT", "expected SHA2_256"),
    );
    expect(withBundle(changedAt(`${entry}.inclusionProof`, undefined))).toMatchObject(
      refused("UNSUPPORTED_FORMAT", "no inclusionProof"),
    );
  });

  it("is refused with any bit of its text flipped behind the media type, of which there are several", () => {
    const text = Buffer.from(JSON.stringify(bundle));
    const ways = fc.tuple(fc.integer({ min: text.indexOf('"verif'), max: text.length - 1 }), fc.nat(7));
    fc.assert(
      fc.property(ways, ([at, bit]) => {
        const flipped = Buffer.from(text);
        flipped[at]! ^= 1 << bit;
        expect(withBundle(flipped).outcome, `byte ${at}, bit ${bit}`).toBe("untrusted");
      }),
      runs(600),
    );
  });

  it("is evidence, never an exception, whatever it holds", () => {
    const json = fc.json({ maxDepth: 4 }).map((text) => Buffer.from(text));
    const partly = fc
      .tuple(
        fc.constantFrom(
          "mediaType",
          "verificationMaterial",
          "verificationMaterial.publicKey",
          entry,
          `${entry}.inclusionProof`,
          `${entry}.canonicalizedBody`,
          "messageSignature",
        ),
        fc.jsonValue(),
      )
      .map(([way, value]) => Buffer.from(JSON.stringify(changedAt(way, value))));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), json, partly), (bytes) => {
        expect(withBundle(bytes).outcome).toBe("untrusted");
      }),
      runs(300),
    );
  });
});
