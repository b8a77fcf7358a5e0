import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { parseCertificate } from "../../../../src/signature/x509/certificate.ts";
import { isIssuedCrl, parseCrl } from "../../../../src/signature/x509/crl.ts";
import { SignatureError } from "../../../../src/signature/signature-error.ts";
import { issueAuthority, issueCertificate, type IssuedCertificate } from "../../../fixtures/certificates.ts";
import { issueCrl, type CrlOptions } from "../../../fixtures/crl.ts";
import { runs } from "../../../fixtures/property-runs.ts";

let authority: IssuedCertificate;
let leaf: IssuedCertificate;

beforeAll(async () => {
  authority = await issueAuthority();
  leaf = await issueCertificate({ issuer: authority, serialNumber: "00f1e2d3" });
});

const issued = async (options: Partial<CrlOptions> = {}) =>
  parseCrl((await issueCrl({ issuer: authority, revoked: [leaf], ...options })).der, "the list");

const refusalOf = async (options: Partial<CrlOptions>): Promise<string> => {
  const { der } = await issueCrl({ issuer: authority, revoked: [leaf], ...options });
  try {
    parseCrl(der, "the list");
    return "none";
  } catch (error) {
    return (error as Error).message;
  }
};

const extension = (id: string, critical: boolean): x509.Extension =>
  new x509.Extension(id, critical, new Uint8Array([0x30, 0x00]));

describe("parseCrl", () => {
  it("reads issuer, period and revoked serial numbers", async () => {
    const thisUpdate = new Date("2026-11-01T00:00:00Z");
    const nextUpdate = new Date("2026-12-01T00:00:00Z");
    const crl = await issued({ thisUpdate, nextUpdate });
    expect(crl.issuer).toBe("C=US, O=Test Publisher, CN=Test Root CA");
    expect(crl.validity).toEqual({
      notBefore: thisUpdate.getTime(),
      notAfter: nextUpdate.getTime() + 999,
    });
    expect([...crl.revoked.keys()]).toEqual([parseCertificate(leaf.certificate, "leaf").serialNumber]);
    expect([...crl.revoked.keys()]).toEqual(["f1e2d3"]);
  });

  it("reads one that revokes nothing", async () => {
    expect((await issued({ revoked: [] })).revoked.size).toBe(0);
  });

  it.each<readonly [string, () => Partial<CrlOptions>, RegExp]>([
    ["without nextUpdate", () => ({ nextUpdate: null }), /until when it holds/],
    ["with changes only", () => ({ extensions: [extension("2.5.29.27", true)] }), /only a part/],
    [
      "for one distribution point",
      () => ({ extensions: [extension("2.5.29.28", false)] }),
      /only a part.*complete one/,
    ],
    [
      "with a critical extension that is unknown",
      () => ({ extensions: [extension("1.2.3.4", true)] }),
      /1\.2\.3\.4, which is not understood/,
    ],
    [
      "of several issuers",
      () => ({ entryExtensions: [extension("2.5.29.29", true)] }),
      /2\.5\.29\.29, which is not understood/,
    ],
  ])("refuses one %s", async (_what, options, says) => {
    expect(await refusalOf(options())).toMatch(says);
  });

  it("takes extensions that change nothing", async () => {
    expect(await refusalOf({ extensions: [extension("2.5.29.20", true), extension("1.2.3.4", false)] })).toBe(
      "none",
    );
  });

  it("throws nothing but SignatureError, whatever the bytes are", async () => {
    const { der } = await issueCrl({ issuer: authority, revoked: [leaf] });
    const mutated = fc
      .tuple(fc.nat(der.length - 1), fc.integer({ min: 0, max: 255 }), fc.nat(der.length))
      .map(([at, byte, length]) => {
        const copy = Uint8Array.from(der);
        copy[at] = byte;
        return length % 3 === 0 ? copy.subarray(0, length) : copy;
      });
    fc.assert(
      fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 200 })), (bytes) => {
        try {
          parseCrl(bytes, "the list");
        } catch (error) {
          expect(error).toBeInstanceOf(SignatureError);
        }
      }),
      runs(500),
    );
  });
});

describe("isIssuedCrl", () => {
  const isIssued = async (by: IssuedCertificate, options: Partial<CrlOptions> = {}): Promise<boolean> =>
    isIssuedCrl(await issued(options), parseCertificate(by.certificate, "issuer"));

  it.each(["P-256", "P-384", "P-521", "RSA-2048"] as const)("takes one signed on %s", async (keyType) => {
    const issuer = await issueAuthority({ keyType });
    expect(await isIssued(issuer, { issuer, revoked: [] })).toBe(true);
  });

  it("refuses one that another key signed, also under the same name", async () => {
    const twin = await issueAuthority();
    expect(await isIssued(authority)).toBe(true);
    expect(await isIssued(twin)).toBe(false);
    expect(await isIssued(authority, { signer: twin })).toBe(false);
  });

  it("refuses one under another name, by the same key", async () => {
    const renamed = await issueAuthority({ subject: "CN=Other", keys: authority.keys });
    expect(await isIssued(renamed)).toBe(false);
  });

  it("refuses one by who is no authority, or may not sign lists", async () => {
    const subject = "CN=Test Root CA, O=Test Publisher, C=US";
    const noAuthority = await issueCertificate({ subject, keys: authority.keys });
    const { keyCertSign, cRLSign } = x509.KeyUsageFlags;
    const may = await issueAuthority({ keys: authority.keys, keyUsage: cRLSign });
    const mayNot = await issueAuthority({ keys: authority.keys, keyUsage: keyCertSign });
    const unsaid = await issueAuthority({ keys: authority.keys, keyUsage: null });
    expect(await Promise.all([noAuthority, may, mayNot, unsaid].map((by) => isIssued(by)))).toEqual([
      false,
      true,
      false,
      true,
    ]);
  });

  it("refuses one of which a byte changed", async () => {
    const crl = await issued();
    const by = parseCertificate(authority.certificate, "issuer");
    const signed = Uint8Array.from(crl.signed);
    signed[signed.length - 1]! ^= 1;
    expect(isIssuedCrl({ ...crl, signed }, by)).toBe(false);
    expect(isIssuedCrl({ ...crl, signatureAlgorithm: "1.2.840.113549.1.1.5" }, by)).toBe(false);
  });
});
