/** Prefix of Fulcio's object identifiers. */
export const fulcio = "1.3.6.1.4.1.57264.1";

/** Fulcio's extensions about builds by their last arc (github.com/sigstore/fulcio, docs/oid-info.md); UTF8String. */
export const claimArcs = {
  buildSignerURI: 9,
  buildSignerDigest: 10,
  runnerEnvironment: 11,
  sourceRepositoryURI: 12,
  sourceRepositoryDigest: 13,
  sourceRepositoryRef: 14,
  sourceRepositoryIdentifier: 15,
  sourceRepositoryOwnerURI: 16,
  sourceRepositoryOwnerIdentifier: 17,
  buildConfigURI: 18,
  buildConfigDigest: 19,
  buildTrigger: 20,
  runInvocationURI: 21,
  sourceRepositoryVisibilityAtSigning: 22,
} as const;

export type CertificateClaim = keyof typeof claimArcs;

export const certificateClaims = Object.keys(claimArcs) as readonly CertificateClaim[];
