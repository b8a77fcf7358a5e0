import { writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Config } from "../config.ts";
import type { CertificateSource } from "../server/certificates/certificate-source.ts";
import { startClientAuthority, type ClientAuthority } from "../server/certificates/client-authority.ts";
import { startCertificateFiles } from "../server/certificates/from-files.ts";
import { startSelfIssued, type Clock } from "../server/certificates/self-issued.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import type { Connected } from "./connected.ts";

const clock: Clock = {
  now: () => Date.now(),
  sleep: (milliseconds, signal) => sleep(milliseconds, undefined, { signal }),
};

/** Certificates to serve with: from files where they are named, else the webhook's own. */
export function certificatesOf(
  { tlsFiles }: Config,
  { store, names, leadership, register }: Connected,
  life: {
    readonly signal: AbortSignal;
    readonly report: (problem: unknown) => void;
    readonly published: (bundle: string) => boolean;
  },
): Promise<CertificateSource> {
  if (tlsFiles !== undefined) return startCertificateFiles({ ...tlsFiles, ...life, clock });
  return startSelfIssued({
    store,
    names,
    clock,
    ...life,
    // Without a cluster there is no registration to wait for.
    ...(register === undefined ? { published: () => true } : {}),
    maintains: () => leadership.leadingSignal() !== undefined,
    prompted: (look) => leadership.onChange(look),
  });
}

/** Publishes this certificate and every later one: to metrics, and to `--ca-file`. */
export function announceCertificate(
  certificates: CertificateSource,
  { metrics }: Telemetry,
  { caFile }: Config,
  report: (problem: unknown) => void,
): void {
  const announce = ({
    notAfter,
    authorityNotAfter,
    caBundle,
  }: ReturnType<CertificateSource["current"]>): void => {
    metrics.setCertificate("serving", notAfter);
    if (authorityNotAfter !== undefined) metrics.setCertificate("authority", authorityNotAfter);
    if (caFile !== undefined && caBundle !== undefined) writeFile(caFile, caBundle).catch(report);
  };
  announce(certificates.current());
  certificates.onChange(announce);
}

/** Authorities of client certificates, where reviews are for certain clients only; metrics have when the last ends. */
export async function clientsOf(
  { clients }: Config,
  { metrics }: Telemetry,
  life: { readonly signal: AbortSignal; readonly report: (problem: unknown) => void },
): Promise<ClientAuthority | undefined> {
  if (clients === undefined) return undefined;
  const authority = await startClientAuthority({ ...clients, ...life, clock });
  const announce = ({ certificates }: ReturnType<ClientAuthority["current"]>): void =>
    metrics.setCertificate("clients", Math.max(...certificates.map((one) => one.validToDate.getTime())));
  announce(authority.current());
  authority.onChange(announce);
  return authority;
}
