import { randomBytes, webcrypto } from "node:crypto";
import { isIP } from "node:net";

import type * as X509 from "@peculiar/x509";

import type { Issuer } from "./rotation.ts";
import type { KeyedCertificate } from "./state.ts";

/** P-256 with SHA-256: every TLS 1.2 client supports it, with the cheapest handshake. */
const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const subtle = webcrypto.subtle;

/** Loaded with the first certificate: it takes longer than the rest of the program's start. */
async function loadX509(): Promise<typeof X509> {
  await import("reflect-metadata");
  return import("@peculiar/x509");
}

/** 128 random bits, positive and without a leading zero octet (RFC 5280, 4.1.2.2). */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString("hex");
}

const pem = (label: string, der: ArrayBuffer): string => {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
};

const derOf = (text: string): Buffer => Buffer.from(text.replace(/-----[A-Z ]+-----/g, ""), "base64");

const keyPem = async (key: webcrypto.CryptoKey): Promise<string> =>
  pem("PRIVATE KEY", await subtle.exportKey("pkcs8", key));

const newKeys = (): Promise<webcrypto.CryptoKeyPair> =>
  subtle.generateKey(algorithm, true, ["sign", "verify"]);

interface Span {
  readonly notBefore: number;
  readonly notAfter: number;
}

const datesOf = ({ notBefore, notAfter }: Span): { notBefore: Date; notAfter: Date } => ({
  notBefore: new Date(notBefore),
  notAfter: new Date(notAfter),
});

async function makeAuthority(span: Span): Promise<KeyedCertificate> {
  const x509 = await loadX509();
  const keys = await newKeys();
  const serial = serialNumber();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    // The serial number in the name distinguishes two generations, for verifiers that find issuers by name.
    name: `CN=Skill Admission CA ${serial.slice(0, 8)}`,
    serialNumber: serial,
    ...datesOf(span),
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { cert: pem("CERTIFICATE", certificate.rawData), key: await keyPem(keys.privateKey) };
}

async function makeLeaf(
  authority: KeyedCertificate,
  names: readonly string[],
  span: Span,
): Promise<KeyedCertificate> {
  const x509 = await loadX509();
  const keys = await newKeys();
  const issuer = new x509.X509Certificate(authority.cert);
  const signingKey = await subtle.importKey("pkcs8", derOf(authority.key), algorithm, false, ["sign"]);
  const certificate = await x509.X509CertificateGenerator.create({
    subject: "CN=Skill Admission webhook",
    issuer: issuer.subjectName,
    serialNumber: serialNumber(),
    ...datesOf(span),
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        names.map((name) => ({ type: isIP(name) === 0 ? "dns" : "ip", value: name })),
      ),
      await x509.AuthorityKeyIdentifierExtension.create(await issuer.publicKey.export()),
    ],
  });
  return { cert: pem("CERTIFICATE", certificate.rawData), key: await keyPem(keys.privateKey) };
}

/** Issues P-256 authorities that may only sign leaves (path length 0), and leaves for TLS servers. */
export const issuer: Issuer = { authority: makeAuthority, leaf: makeLeaf };
