import { X509Certificate } from "node:crypto";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { parseCertificate } from "../../../../src/signature/x509/certificate.ts";
import {
  DerError,
  derBoolean,
  derInteger,
  derTime,
  objectIdentifier,
  readDer,
} from "../../../../src/signature/x509/der.ts";
import { SignatureError } from "../../../../src/signature/signature-error.ts";
import { issueCertificate, type IssuedCertificate } from "../../../fixtures/certificates.ts";
import { runs } from "../../../fixtures/property-runs.ts";

const value = (tag: number, content: Uint8Array | string) =>
  readDer(Uint8Array.from([tag, content.length, ...Buffer.from(content)]))[0];

describe("readDer", () => {
  it("reads values one after the other", () => {
    expect(readDer(Uint8Array.from([5, 0, 4, 1, 9])).map(({ tag, content }) => [tag, ...content])).toEqual([
      [5],
      [4, 9],
    ]);
  });

  it.each([
    ["an indefinite length", [0x30, 0x80, 0, 0]],
    ["a length that is not minimal", [4, 0x81, 1, 0]],
    ["a length with a leading zero", [4, 0x82, 0, 0x80]],
    ["a length of four bytes", [4, 0x84, 0, 0, 0, 1]],
    ["a value that is cut short", [4, 2, 1]],
    ["a tag without a length", [4]],
    ["a tag of several bytes", [0x1f, 0x81, 0]],
    ["more than a thousand values", Array.from({ length: 2_002 }, (_, at) => (at % 2 === 0 ? 5 : 0))],
  ])("refuses %s", (_name, bytes) => {
    expect(() => readDer(Uint8Array.from(bytes))).toThrow(DerError);
  });

  it("throws nothing but DerError, and covers every byte, on any input", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          expect(Buffer.concat(readDer(bytes).map(({ encoded }) => encoded)).equals(bytes)).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(DerError);
        }
      }),
    );
  });
});

describe("readers of single values", () => {
  it("read times to the year 9999", () => {
    expect(derTime(value(0x17, "491231235959Z"))).toBe(Date.UTC(2049, 11, 31, 23, 59, 59));
    expect(derTime(value(0x17, "500101000000Z"))).toBe(Date.UTC(1950, 0, 1));
    expect(derTime(value(0x18, "99991231235959Z"))).toBe(Date.UTC(9999, 11, 31, 23, 59, 59));
  });

  it.each([
    "260230000000Z",
    "261301000000Z",
    "260101240000Z",
    "2601010000Z",
    "260101000000+0100",
    "26010100000Z",
    "",
  ])("refuse the time %s", (text) => {
    expect(() => derTime(value(0x17, text))).toThrow(DerError);
    expect(() => derTime(value(0x04, text))).toThrow(DerError);
  });

  it("read object identifiers", () => {
    expect(objectIdentifier(value(6, Uint8Array.from([0x55, 0x1d, 0x0f])))).toBe("2.5.29.15");
    expect(objectIdentifier(value(6, Uint8Array.from([0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2])))).toBe(
      "1.2.840.10045.4.3.2",
    );
    expect(() => objectIdentifier(value(6, Uint8Array.from([0x55, 0x80])))).toThrow(DerError);
    expect(() => objectIdentifier(value(6, new Uint8Array()))).toThrow(DerError);
    expect(() => objectIdentifier(value(6, new Uint8Array(60).fill(0xff)))).toThrow(DerError);
  });

  it("read booleans and small integers only", () => {
    expect(derBoolean(value(1, Uint8Array.from([0xff])))).toBe(true);
    expect(() => derBoolean(value(1, Uint8Array.from([1])))).toThrow(DerError);
    expect(derInteger(value(2, Uint8Array.from([1, 0])))).toBe(256);
    expect(() => derInteger(value(2, Uint8Array.from([0x80])))).toThrow(DerError);
    expect(() => derInteger(undefined)).toThrow(DerError);
  });
});

describe("parseCertificate", () => {
  let issued: IssuedCertificate;

  beforeAll(async () => {
    issued = await issueCertificate({
      subject: "CN=Käse\\, Brot, O=Example, 2.5.4.97=NTRDE-1, DC=org, DC=example",
    });
  });

  it("reads names of several values and unknown attributes", () => {
    const { subject, notBefore } = parseCertificate(issued.certificate, "it");
    expect(subject.attributes).toEqual({
      CN: ["Käse, Brot"],
      O: ["Example"],
      organizationIdentifier: ["NTRDE-1"],
      DC: ["org", "example"],
    });
    expect(subject.text).toContain("CN=Käse\\, Brot");
    expect(notBefore).toBe(Date.parse(issued.certificate.validFrom));
  });

  it("agrees with Node's parser on every certificate that both read, whatever byte is changed", () => {
    const { raw } = issued.certificate;
    fc.assert(
      fc.property(fc.nat(raw.length - 1), fc.nat(255), (at, byte) => {
        const changed = Uint8Array.from(raw);
        changed[at] = byte;
        try {
          const { notBefore, notAfter } = parseCertificate(changed, "it");
          const other = new X509Certificate(changed);
          expect(notBefore).toBe(Date.parse(other.validFrom));
          expect(Math.floor(notAfter / 1000)).toBe(Date.parse(other.validTo) / 1000);
        } catch (error) {
          expect(error).toBeInstanceOf(SignatureError);
        }
      }),
      runs(2_000),
    );
  });

  it.each<[string, () => Uint8Array]>([
    ["PEM", () => Buffer.from(issued.pem)],
    ["bytes after it", () => Buffer.concat([issued.certificate.raw, Buffer.from([5, 0])])],
    ["nothing", () => new Uint8Array()],
    ["too much", () => new Uint8Array(20_000).fill(0x30)],
  ])("refuses %s", (_name, bytes) => {
    expect(() => parseCertificate(bytes(), "it")).toThrow(SignatureError);
  });
});
