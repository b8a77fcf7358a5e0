import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SignatureError } from "../../../../src/signature/signature-error.ts";
import { certificateInPem, readLegacyBundle } from "../../../../src/signature/sigstore/legacy-bundle.ts";
import { edited, type Edit } from "../../../fixtures/edited.ts";
import { legacyBundle } from "../../../fixtures/legacy-bundle.ts";
import { testSigstore } from "../../../fixtures/sigstore.ts";

const bundle = await legacyBundle(await testSigstore(), Buffer.from("hello"));
const read = (value: object | string) =>
  readLegacyBundle(Buffer.from(typeof value === "string" ? value : JSON.stringify(value)), "x.sigstore");

function faultOf(value: object | string): string {
  try {
    read(value);
    return "none";
  } catch (cause) {
    if (cause instanceof SignatureError) return `${cause.code} ${cause.message}`;
    throw cause;
  }
}

const base64 = (text: string): string => Buffer.from(text).toString("base64");

describe("readLegacyBundle", () => {
  it("gives signature, certificate and the log's promise as Sigstore's bundles have them", () => {
    const { rekorBundle, base64Signature } = bundle as {
      base64Signature: string;
      rekorBundle: { Payload: { body: string; integratedTime: number; logIndex: number; logID: string } };
    };
    const { body, integratedTime, logIndex, logID } = rekorBundle.Payload;
    const { signature, certificates, proof } = read(bundle);
    expect(signature.toString("base64")).toBe(base64Signature);
    expect(Buffer.from(certificates[0], "base64")[0]).toBe(0x30);
    expect(proof.timestamps).toEqual([]);
    expect(proof.entries).toMatchObject([
      {
        kindVersion: { kind: "hashedrekord", version: "0.0.1" },
        integratedTime: String(integratedTime),
        logIndex: String(logIndex),
        logId: { keyId: Buffer.from(logID, "hex") },
        canonicalizedBody: Buffer.from(body, "base64"),
        inclusionProof: undefined,
      },
    ]);
  });

  it.each<[string, string, Readonly<Record<string, Edit>>]>([
    ["no signature", "MANIFEST_MALFORMED", { base64Signature: undefined }],
    ["a signature with a line break", "MANIFEST_MALFORMED", { base64Signature: (old: string) => `${old}\n` }],
    ["no certificate", "UNSUPPORTED_FORMAT", { cert: undefined }],
    ["a key in its place", "MANIFEST_MALFORMED", { cert: base64("-----BEGIN PUBLIC KEY-----\nAAAA\n") }],
    ["two certificates", "MANIFEST_MALFORMED", { cert: (old: string) => base64(atob(old).repeat(2)) }],
    ["no log entry", "UNSUPPORTED_FORMAT", { rekorBundle: undefined }],
    ["null for it", "UNSUPPORTED_FORMAT", { rekorBundle: null }],
    ["an unknown member", "MANIFEST_MALFORMED", { extra: 1 }],
    ["an unknown member of the entry", "MANIFEST_MALFORMED", { "rekorBundle.Payload.extra": 1 }],
    ["an unknown member of the promise", "MANIFEST_MALFORMED", { "rekorBundle.extra": 1 }],
    ["a time as text", "MANIFEST_MALFORMED", { "rekorBundle.Payload.integratedTime": "1" }],
    ["a time before 1970", "MANIFEST_MALFORMED", { "rekorBundle.Payload.integratedTime": -1 }],
    ["a broken number", "MANIFEST_MALFORMED", { "rekorBundle.Payload.logIndex": 1.5 }],
    ["a number beyond what is exact", "MANIFEST_MALFORMED", { "rekorBundle.Payload.logIndex": 2 ** 53 }],
    [
      "a log in capitals",
      "MANIFEST_MALFORMED",
      { "rekorBundle.Payload.logID": (old: string) => old.toUpperCase() },
    ],
    ["a body that is no JSON", "MANIFEST_MALFORMED", { "rekorBundle.Payload.body": base64("{") }],
    [
      "a body with a key twice",
      "MANIFEST_MALFORMED",
      { "rekorBundle.Payload.body": base64('{"kind":"a","kind":"b"}') },
    ],
    ["a body without kind", "MANIFEST_MALFORMED", { "rekorBundle.Payload.body": base64("{}") }],
  ])("refuses %s: %s", (_what, code, edits) => {
    expect(faultOf(edited(bundle, edits))).toMatch(new RegExp(`^${code} `));
  });

  it.each<[string, string]>([
    ["nothing", ""],
    ["a list", "[]"],
    ["a byte order mark", `\ufeff${JSON.stringify(bundle)}`],
    ["a key twice", JSON.stringify(bundle).replace("{", '{"cert":"",')],
    ["too much", " ".repeat(8 * 1024 * 1024 + 1)],
  ])("refuses %s", (_what, text) => {
    expect(faultOf(text)).toMatch(/^MANIFEST_MALFORMED /);
  });

  it("answers with a fault, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.json()), (text) => {
        expect(faultOf(text)).toMatch(/^(?:MANIFEST_MALFORMED|UNSUPPORTED_FORMAT) /);
      }),
    );
  });
});

describe("certificateInPem", () => {
  const pem = (inner: string) => `-----BEGIN CERTIFICATE-----\n${inner}\n-----END CERTIFICATE-----\n`;

  it("gives the base64 inside, whatever the line ends", () => {
    expect(certificateInPem(pem("QUJD\nREVG"), "x")).toBe("QUJDREVG");
    expect(certificateInPem(pem("QUJD\nREVG").replaceAll("\n", "\r\n"), "x")).toBe("QUJDREVG");
  });

  it.each([`text\n${pem("QUJD")}`, `${pem("QUJD")}text`, pem("QUJD") + pem("QUJD"), pem("a b"), "", pem("")])(
    "refuses %j",
    (text) => {
      expect(() => certificateInPem(text, "the certificate")).toThrow(
        /the certificate is not one certificate in PEM/,
      );
    },
  );
});
