import type { TrustMaterial } from "@sigstore/verify";
import { malformed } from "../../signature-error.ts";

/** How much proof by one Sigstore instance is asked for. */
export interface Thresholds {
  /** Transparency logs that must hold the signature. */
  readonly tlog: number;
  /**
   * Timestamp authorities and logs that must state the time of signing, at least one. Absent: one for a certificate, which is
   * valid for minutes, and none for a key.
   */
  readonly timestamp?: number;
  /** Certificate logs that must hold the certificate. */
  readonly ctlog: number;
}

/** What is asked for where nobody says otherwise. */
export const defaultThresholds: Thresholds = { tlog: 1, ctlog: 1 };

/** Two logs of one name are one log, with an older and a newer key. */
const countOf = (logs: readonly { readonly logID: Buffer }[]): number =>
  new Set(logs.map(({ logID }) => logID.toString("hex"))).size;

/**
 * Can an instance give so much proof at all.
 * @throws SignatureError MANIFEST_MALFORMED
 */
export function assertReachable(
  { tlog, timestamp = 0, ctlog }: Thresholds,
  authorities: TrustMaterial,
): void {
  const { tlogs, ctlogs, timestampAuthorities } = authorities;
  const refuse = (what: string, wanted: number, there: number): never => {
    throw malformed(`${wanted} ${what} are asked for, and the trusted root has ${there}`);
  };
  if (tlog > countOf(tlogs)) refuse("transparency logs", tlog, countOf(tlogs));
  // An instance without authorities proves signatures by keys alone, which have no certificate to log.
  if (authorities.certificateAuthorities.length > 0 && ctlog > countOf(ctlogs))
    refuse("certificate logs", ctlog, countOf(ctlogs));
  const clocks = timestampAuthorities.length + countOf(tlogs);
  if (timestamp > clocks) refuse("timestamp authorities and logs", timestamp, clocks);
}

/** The same as text; empty for the default. */
export const describeThresholds = ({ tlog, timestamp, ctlog }: Thresholds): string =>
  tlog === 1 && timestamp === undefined && ctlog === 1
    ? ""
    : JSON.stringify([tlog, timestamp ?? null, ctlog]);
