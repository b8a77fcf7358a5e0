import { generateKeyPairSync, webcrypto } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import type { ClientCertificate } from "./api-access.ts";

x509.cryptoProvider.set(webcrypto);

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const day = 24 * 3600 * 1000;

interface Authority {
  readonly certificate: x509.X509Certificate;
  readonly keys: webcrypto.CryptoKeyPair;
}

const pairOf = (): Promise<webcrypto.CryptoKeyPair> =>
  webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);

async function pemOfKey(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", key));
  return `-----BEGIN PRIVATE KEY-----\n${der.toString("base64").replaceAll(/.{64}/g, "$&\n")}\n-----END PRIVATE KEY-----\n`;
}

const validity = () => ({ notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + 30 * day) });

async function authority(): Promise<Authority> {
  const keys = await pairOf();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: "CN=control-plane-test-ca",
    keys,
    signingAlgorithm: algorithm,
    ...validity(),
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  });
  return { certificate, keys };
}

interface Leaf {
  readonly subject: string;
  readonly names?: readonly x509.JsonGeneralName[];
}

async function issue(ca: Authority, { subject, names = [] }: Leaf): Promise<{ cert: string; key: string }> {
  const keys = await pairOf();
  const certificate = await x509.X509CertificateGenerator.create({
    subject,
    issuer: ca.certificate.subject,
    publicKey: keys.publicKey,
    signingKey: ca.keys.privateKey,
    signingAlgorithm: algorithm,
    ...validity(),
    extensions: [
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([
        x509.ExtendedKeyUsage.serverAuth,
        x509.ExtendedKeyUsage.clientAuth,
      ]),
      ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension([...names])]),
    ],
  });
  return { cert: certificate.toString("pem"), key: await pemOfKey(keys.privateKey) };
}

/** Where the control plane's keys and certificates lie. */
export interface ControlPlaneCertificates {
  readonly ca: string;
  readonly serverCert: string;
  readonly serverKey: string;
  readonly admin: ClientCertificate;
  readonly controllerManager: ClientCertificate;
  readonly tokenKey: string;
  readonly tokenPublicKey: string;
}

/** Makes everything fresh for one run: a CA, certificates of the API server and its users, the token key. */
export async function writeCertificates(folder: string): Promise<ControlPlaneCertificates> {
  const ca = await authority();
  const server = await issue(ca, {
    subject: "CN=kube-apiserver",
    names: [
      { type: "dns", value: "localhost" },
      { type: "dns", value: "kubernetes.default.svc" },
      { type: "ip", value: "127.0.0.1" },
      { type: "ip", value: "10.0.0.1" },
    ],
  });
  const token = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  const write = async (name: string, content: string): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, content, { mode: 0o600 });
    return path;
  };
  const client = async (name: string, subject: string): Promise<ClientCertificate> => {
    const { cert, key } = await issue(ca, { subject });
    return { clientCert: await write(`${name}.crt`, cert), clientKey: await write(`${name}.key`, key) };
  };
  return {
    ca: await write("ca.crt", ca.certificate.toString("pem")),
    serverCert: await write("apiserver.crt", server.cert),
    serverKey: await write("apiserver.key", server.key),
    admin: await client("admin", "O=system:masters, CN=admin"),
    controllerManager: await client("controller-manager", "CN=system:kube-controller-manager"),
    tokenKey: await write("token.key", token.privateKey),
    tokenPublicKey: await write("token.pub", token.publicKey),
  };
}
