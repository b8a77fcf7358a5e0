import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { describe, expect, it } from "vitest";
import { parseCertificate } from "../../../../../src/signature/x509/certificate.ts";
import { SignatureError } from "../../../../../src/signature/signature-error.ts";
import { readIdentity } from "../../../../../src/signature/sigstore/identity/identity.ts";
import { issueCertificate } from "../../../../fixtures/certificates.ts";

const issuer = "https://issuer.example.com";

/** A DER value of less than 128 bytes. */
const der = (tag: number, ...parts: readonly Uint8Array[]): Buffer => {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag, content.length]), content]);
};
const text = (value: string): Buffer => Buffer.from(value);
const fulcio = (arc: number, value: Uint8Array): x509.Extension =>
  new x509.Extension(`1.3.6.1.4.1.57264.1.${arc}`, false, Uint8Array.from(value));
const names = (...values: readonly Uint8Array[]): x509.Extension =>
  new x509.Extension("2.5.29.17", true, Uint8Array.from(der(0x30, ...values)));

const email = der(0x81, text("me@example.com"));
/** 1.3.6.1.4.1.57264.1.7, Fulcio's user names. */
const userNames = Buffer.from("060a2b0601040183bf300107", "hex");
const userName = (oid: Uint8Array) => der(0xa0, oid, der(0xa0, der(0x0c, text("me!example.com"))));
const issued = fulcio(8, der(0x0c, text(issuer)));

async function identityOf(...extensions: readonly x509.Extension[]) {
  const { certificate } = await issueCertificate({ extensions });
  return readIdentity(parseCertificate(certificate, "the certificate"));
}

describe("readIdentity", () => {
  it.each([
    ["an e-mail address", email, "me@example.com"],
    ["a URI", der(0x86, text("https://example.com/me")), "https://example.com/me"],
    ["a user name of Fulcio", userName(userNames), "me!example.com"],
  ])("reads %s", async (_what, name, identity) => {
    expect(await identityOf(names(name), issued)).toEqual({ identity, issuer, claims: {} });
  });

  it.each<[string, readonly x509.Extension[]]>([
    ["no name", [issued]],
    ["an empty list of names", [names(), issued]],
    ["two names", [names(email, der(0x86, text("https://example.com"))), issued]],
    ["a host's name", [names(der(0x82, text("example.com"))), issued]],
    ["a name of another kind", [names(userName(Buffer.from("060355040a", "hex"))), issued]],
    ["an empty name", [names(der(0x81)), issued]],
    ["a name with a NUL in it", [names(der(0x81, text("me@example.com\0.evil.test"))), issued]],
    ["a name that turns its direction", [names(der(0x81, text("me@\u202eexample.com"))), issued]],
    ["a name with a letter that shows as nothing", [names(der(0x81, text("me\u3164@example.com"))), issued]],
    ["a name that is not UTF-8", [names(der(0x81, Buffer.from([0xff]))), issued]],
    ["no issuer", [names(email)]],
    ["an issuer of another type", [names(email), fulcio(8, der(0x16, text(issuer)))]],
    ["two issuers that differ", [names(email), issued, fulcio(1, text("https://other.example.com"))]],
    ["a claim of another type", [names(email), issued, fulcio(14, text("refs/heads/main"))]],
  ])("refuses %s", async (_what, extensions) => {
    await expect(identityOf(...extensions)).rejects.toBeInstanceOf(SignatureError);
  });

  it("takes the older issuer alone, and both where they agree", async () => {
    const older = fulcio(1, text(issuer));
    expect(await identityOf(names(email), older)).toMatchObject({ issuer });
    expect(await identityOf(names(email), older, issued)).toMatchObject({ issuer });
  });
});
