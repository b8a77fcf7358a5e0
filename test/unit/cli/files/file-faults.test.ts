import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";

import { ioMessage, pemRemedy } from "../../../../src/cli/files/file-faults.ts";
import { issueAuthority } from "../../../fixtures/certificates.ts";

const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const secret = privateKey.export({ type: "pkcs8", format: "pem" }) as string;
const pem = publicKey.export({ type: "spki", format: "pem" }) as string;
const der = publicKey.export({ type: "spki", format: "der" });
const certificate = (await issueAuthority()).pem;

describe("pemRemedy", () => {
  it.each([
    ["a private key", secret, "openssl pkey -in f -pubout"],
    ["a certificate", certificate, "openssl x509 -in f -noout -pubkey"],
    ["OpenSSH's public key", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA me@host\n", "OpenSSH's own form"],
    [
      "OpenSSH's private key",
      "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----\n",
      "OpenSSH",
    ],
    ["DER", der.toString("latin1"), "openssl pkey -pubin -inform DER -in f"],
    [
      "base64 by itself",
      `${der.toString("base64")}\n`,
      "openssl base64 -d -A -in f | openssl pkey -pubin -inform DER",
    ],
    ["nothing", "", "it must have -----BEGIN PUBLIC KEY-----"],
    ["other words", "MY KEY IS SECRET, AND THIS IS A TEXT ABOUT IT", "it must have"],
  ])("says how a public key comes of %s", (_what, text, remedy) => {
    expect(pemRemedy("PUBLIC KEY", "f", text)).toContain(remedy);
  });

  it.each([
    ["a public key", pem, "--public-key"],
    ["a private key", secret, "it is a private key"],
    [
      "a request",
      "-----BEGIN CERTIFICATE REQUEST-----\nAA==\n-----END CERTIFICATE REQUEST-----\n",
      "request",
    ],
    ["PKCS #7", "-----BEGIN PKCS7-----\nAA==\n-----END PKCS7-----\n", "openssl pkcs7 -print_certs -in f"],
    ["DER", der.toString("latin1"), "openssl x509 -inform DER -in f"],
    ["nothing", "", "it must have -----BEGIN CERTIFICATE-----"],
  ])("says how a certificate comes of %s", (_what, text, remedy) => {
    expect(pemRemedy("CERTIFICATE", "f", text)).toContain(remedy);
  });

  it.each([
    ["a public key", pem, "it is a public key"],
    ["a certificate", certificate, "--certificate-chain"],
    ["DER", der.toString("latin1"), "openssl pkey -inform DER -in f"],
    ["nothing", "", "it must have -----BEGIN PRIVATE KEY-----"],
  ])("says what to sign with in place of %s", (_what, text, remedy) => {
    expect(pemRemedy("PRIVATE KEY", "f", text)).toContain(remedy);
  });

  it("never quotes what is in the file", () => {
    for (const label of ["PUBLIC KEY", "CERTIFICATE", "PRIVATE KEY"] as const)
      for (const text of [secret, secret.replaceAll("-----", ""), certificate, pem])
        expect(pemRemedy(label, "f", text)).not.toContain(text.split("\n")[1]);
  });

  it("finishes at once on a megabyte of blanks", () => {
    const text = `M${" ".repeat(1024 * 1024)}!`;
    expect(pemRemedy("PUBLIC KEY", "f", text)).toBe("it must have -----BEGIN PUBLIC KEY-----");
  });
});

describe("ioMessage", () => {
  it.each([
    ["ENOENT", "it does not exist"],
    ["EACCES", "permission denied"],
    ["EISDIR", "it is a folder"],
    ["EIO", "EIO: input/output error"],
  ])("says in words what %s means", (code, words) => {
    expect(ioMessage(Object.assign(new Error("EIO: input/output error"), { code }))).toBe(words);
  });
});
