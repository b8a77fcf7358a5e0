import { describe, expect, it } from "vitest";
import { parseBundle } from "../../../../src/signature/sigstore/bundle.ts";
import { legacyPreAuthEncoding, preAuthEncoding } from "../../../../src/signature/sigstore/dsse.ts";
import { SignatureError } from "../../../../src/signature/signature-error.ts";
import { skillLimits } from "../../../../src/skill/limits.ts";

const envelope = {
  payload: "e30=",
  payloadType: "application/vnd.in-toto+json",
  signatures: [{ sig: "AAAA", keyid: "" }],
};
const material = { publicKey: { hint: "ab" }, tlogEntries: [] };
const good = {
  mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
  verificationMaterial: material,
  dsseEnvelope: envelope,
};

const bytesOf = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));

/** Code and message of the refusal. */
function refusalOf(value: unknown): string {
  try {
    parseBundle(value instanceof Uint8Array ? value : bytesOf(value));
  } catch (error) {
    if (error instanceof SignatureError) return `${error.code} ${error.message}`;
    throw error;
  }
  return "none";
}

const withMaterial = (verificationMaterial: unknown): unknown => ({ ...good, verificationMaterial });

describe("parseBundle", () => {
  it("reads key and payload", () => {
    expect(parseBundle(bytesOf(good))).toEqual({
      material: { kind: "publicKey", hint: "ab" },
      payload: Buffer.from("{}"),
      signature: Buffer.from([0, 0, 0]),
    });
  });

  it("reads a chain, leaf first", () => {
    const certificates = [{ rawBytes: "AA==" }, { rawBytes: "AQ==" }];
    const bundle = parseBundle(bytesOf(withMaterial({ x509CertificateChain: { certificates } })));
    expect(bundle.material).toEqual({ kind: "certificateChain", certificates: ["AA==", "AQ=="] });
  });

  it.each([
    ["no tlogEntries", { publicKey: { hint: "ab" } }],
    ["an empty list of timestamps", { ...material, timestampVerificationData: { rfc3161Timestamps: [] } }],
    ["no timestamps", { ...material, timestampVerificationData: null }],
    [
      "the key that older versions wrote",
      { publicKey: { rawBytes: "AAAA", keyDetails: "PKIX_ECDSA_P384_SHA_384" } },
    ],
    ["an empty hint", { publicKey: { hint: "" } }],
    ["a hint that is null", { publicKey: { hint: null } }],
  ])("accepts %s", (_name, verificationMaterial) => {
    expect(refusalOf(withMaterial(verificationMaterial))).toBe("none");
  });

  it.each<[string, unknown, string]>([
    ["another media type", { ...good, mediaType: "application/json" }, "UNSUPPORTED_FORMAT"],
    [
      "a certificate with an empty log entry",
      withMaterial({ certificate: { rawBytes: "AA==" }, tlogEntries: [{}] }),
      "MANIFEST_MALFORMED verificationMaterial.tlogEntries[0]",
    ],
    ["log entries beside a key", withMaterial({ ...material, tlogEntries: [{}] }), "UNSUPPORTED_FORMAT"],
    ["tlogEntries that are no list", withMaterial({ ...material, tlogEntries: {} }), "MANIFEST_MALFORMED"],
    [
      "timestamps beside a key",
      withMaterial({ ...material, timestampVerificationData: { rfc3161Timestamps: [{}] } }),
      "UNSUPPORTED_FORMAT",
    ],
    [
      "unknown timestamps",
      withMaterial({ ...material, timestampVerificationData: { rfc3161Timestamps: [], other: 1 } }),
      "UNSUPPORTED_FORMAT",
    ],
    ["a key and a chain", withMaterial({ ...material, x509CertificateChain: {} }), "MANIFEST_MALFORMED"],
    ["neither", withMaterial({ tlogEntries: [] }), "MANIFEST_MALFORMED"],
    ["a hint that is no text", withMaterial({ publicKey: { hint: 1 } }), "MANIFEST_MALFORMED"],
    ["an empty chain", withMaterial({ x509CertificateChain: { certificates: [] } }), "MANIFEST_MALFORMED"],
    [
      "eleven certificates",
      withMaterial({
        x509CertificateChain: { certificates: Array.from({ length: 11 }, () => ({ rawBytes: "AA==" })) },
      }),
      "MANIFEST_MALFORMED",
    ],
    ["no signature", { ...good, dsseEnvelope: { ...envelope, signatures: [] } }, "MANIFEST_MALFORMED"],
    [
      "two signatures",
      {
        ...good,
        dsseEnvelope: { ...envelope, signatures: [...envelope.signatures, ...envelope.signatures] },
      },
      "MANIFEST_MALFORMED",
    ],
    [
      "another payload type",
      { ...good, dsseEnvelope: { ...envelope, payloadType: "text/plain" } },
      "UNSUPPORTED_FORMAT",
    ],
    ["a message signature too", { ...good, messageSignature: {} }, "MANIFEST_MALFORMED"],
    ["an unknown field", { ...good, extra: 1 }, "MANIFEST_MALFORMED"],
    [
      "a keyid that is a number",
      { ...good, dsseEnvelope: { ...envelope, signatures: [{ sig: "AAAA", keyid: 1 }] } },
      "MANIFEST",
    ],
    [
      "a keyid that is prose, which nobody signed",
      { ...good, dsseEnvelope: { ...envelope, signatures: [{ sig: "AAAA", keyid: "Agent: read this" }] } },
      "keyid is not a name",
    ],
    [
      "a keyid without end",
      { ...good, dsseEnvelope: { ...envelope, signatures: [{ sig: "AAAA", keyid: "a".repeat(257) }] } },
      "keyid is not a name",
    ],
    ["too many bytes", new Uint8Array(skillLimits.signatureBytes + 1), "MANIFEST_MALFORMED"],
    ["bytes that are not UTF-8", Uint8Array.from([0x22, 0xff, 0x22]), "MANIFEST_MALFORMED"],
  ])("refuses %s", (_name, value, refusal) => {
    expect(refusalOf(value)).toContain(refusal);
  });

  it.each(["e30", "e30=\n", "e3-_", "e31=", "", "e30= ", "=", "é"])("refuses the base64 %j", (payload) => {
    expect(refusalOf({ ...good, dsseEnvelope: { ...envelope, payload } })).toContain("is not plain base64");
  });
});

describe("preAuthEncoding", () => {
  it("is that of the DSSE specification's example", () => {
    const encoded = preAuthEncoding("http://example.com/HelloWorld", Buffer.from("hello world"));
    expect(encoded.toString()).toBe("DSSEv1 29 http://example.com/HelloWorld 11 hello world");
  });

  it("counts bytes, not characters", () => {
    expect(preAuthEncoding("ü", Buffer.from("ß")).toString()).toBe("DSSEv1 2 ü 2 ß");
  });
});

describe("legacyPreAuthEncoding", () => {
  it.each([
    ["plain", "DSSEV1 1 t 5 b'plain'"],
    ["it's", `DSSEV1 1 t 4 b"it's"`],
    [`it's "x"`, String.raw`DSSEV1 1 t 8 b'it\'s "x"'`],
    [`"x"`, `DSSEV1 1 t 3 b'"x"'`],
    ["\t\n\r\\\0\u007fß", String.raw`DSSEV1 1 t 8 b'\t\n\r\\\x00\x7f\xc3\x9f'`],
  ])("writes %j as Python prints bytes", (payload, encoded) => {
    expect(legacyPreAuthEncoding("t", Buffer.from(payload)).toString()).toBe(encoded);
  });
});
