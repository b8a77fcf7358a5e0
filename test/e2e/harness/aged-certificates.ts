import { webcrypto } from "node:crypto";
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { issuer } from "../../../src/server/certificates/issuer.ts";
import { lifetimes } from "../../../src/server/certificates/rotation.ts";
import { fromFiles, toFiles, type KeyedCertificate } from "../../../src/server/certificates/state.ts";
import type { Cluster } from "./cluster.ts";
import { home } from "./replicas.ts";

const hour = 3_600_000;
const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

/** The same authority, name and key, as it would be a year later: its leaves stay valid, and it ends in 20 hours. */
async function aged({ cert, key }: KeyedCertificate, now: number): Promise<KeyedCertificate> {
  const old = new x509.X509Certificate(cert);
  const der = Buffer.from(key.replace(/-----[A-Z ]+-----/g, ""), "base64");
  const privateKey = await webcrypto.subtle.importKey("pkcs8", der, algorithm, true, ["sign"]);
  const publicKey = (await old.publicKey.export(algorithm, ["verify"])) as webcrypto.CryptoKey;
  const made = await x509.X509CertificateGenerator.createSelfSigned({
    name: old.subject,
    serialNumber: old.serialNumber,
    notBefore: new Date(now - lifetimes.authority + 20 * hour),
    notAfter: new Date(now + 20 * hour),
    keys: { privateKey, publicKey },
    signingAlgorithm: algorithm,
    extensions: old.extensions,
  });
  return { cert: `${made.toString("pem")}\n`, key };
}

/** Who issues certificates after the present authority, and until when it does. */
export interface Successor {
  /** Seconds since 1970. */
  readonly notAfter: number;
}

/**
 * Makes the shared certificates as old as they are when the replicas replace them: the serving certificate has had two
 * thirds of its life, the authority ends tomorrow, and its successor was announced a minute ago. Everything that follows
 * the replicas do by themselves.
 */
export async function ageCertificates({ api }: Cluster, names: readonly string[]): Promise<Successor> {
  const path = `/api/v1/namespaces/${home}/secrets/skill-admission-certificates`;
  const { data } = await api.json<{ data: Readonly<Record<string, string>> }>("GET", path);
  const decoded = Object.entries(data).map(
    ([name, text]) => [name, Buffer.from(text, "base64").toString()] as const,
  );
  const state = fromFiles(Object.fromEntries(decoded));
  if (state === undefined) throw new Error("the Secret holds no certificates");
  const now = Date.now();
  const issuing = await aged(state.issuing, now);
  const notAfter = now + lifetimes.authority;
  const next = await issuer.authority({
    notBefore: now - lifetimes.backdate - lifetimes.shortAnnouncement - 1000,
    notAfter,
  });
  const leaf = await issuer.leaf(issuing, names, {
    notBefore: now - 29 * 24 * hour,
    notAfter: now + 10 * hour,
  });
  const files = Object.entries(toFiles({ issuing, next, leaf })).map(([name, text]) => [
    name,
    Buffer.from(text).toString("base64"),
  ]);
  await api.json("PATCH", path, { data: Object.fromEntries(files) as object });
  return { notAfter: Math.floor(notAfter / 1000) };
}
