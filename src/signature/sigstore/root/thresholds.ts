import type { TrustMaterial } from "@sigstore/verify";
import { malformed } from "../../signature-error.ts";

/** Required proof of one Sigstore instance. */
export interface Thresholds {
  /** Transparency logs that must hold the signature. */
  readonly tlog: number;
  /**
   * Timestamp authorities and logs that must state the time of signing, at least one. Absent: one for a certificate,
   * which is valid for minutes, and none for a key.
   */
  readonly timestamp?: number;
  /** Certificate logs that must hold the certificate. */
  readonly ctlog: number;
}

/** Default thresholds. */
export const defaultThresholds: Thresholds = { tlog: 1, ctlog: 1 };

/** Counts logs by ID: two entries with one ID are one log with an older and a newer key. */
const countOf = (logs: readonly { readonly logID: Buffer }[]): number =>
  new Set(logs.map(({ logID }) => logID.toString("hex"))).size;

/**
 * Asserts that an instance can satisfy the thresholds.
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
  // An instance without certificate authorities proves signatures by keys alone, without certificates to log.
  if (authorities.certificateAuthorities.length > 0 && ctlog > countOf(ctlogs))
    refuse("certificate logs", ctlog, countOf(ctlogs));
  const clocks = timestampAuthorities.length + countOf(tlogs);
  if (timestamp > clocks) refuse("timestamp authorities and logs", timestamp, clocks);
}

/** Thresholds as text, for fingerprints; empty for the default. */
export const describeThresholds = ({ tlog, timestamp, ctlog }: Thresholds): string =>
  tlog === 1 && timestamp === undefined && ctlog === 1
    ? ""
    : JSON.stringify([tlog, timestamp ?? null, ctlog]);
