import { BadVersionError, DownloadHTTPError, ExpiredMetadataError } from "tuf-js/dist/error.js";

/** A fault of a mirror, or of the SkillTrustRoot that names it, with a known remedy. */
export class MirrorFault extends Error {
  readonly remedy: string;

  constructor(message: string, remedy: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "MirrorFault";
    this.remedy = remedy;
  }
}

/** Node's codes for a server certificate without a trusted issuer (OpenSSL's `X509_V_ERR_…`). */
const unknownAuthority: readonly (string | undefined)[] = [
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
];

/** Remedy for a failed update: half a sentence for the log or the condition. */
export function mirrorRemedy(error: unknown): string {
  if (error instanceof MirrorFault) return error.remedy;
  if (error instanceof ExpiredMetadataError) return "have whoever runs the mirror renew its metadata";
  if (error instanceof BadVersionError) return "ask whoever runs the mirror why it publishes older metadata";
  if (error instanceof DownloadHTTPError && error.statusCode === 404)
    return "see that tuf.mirror is the address under which the repository has that file";
  const { message = "", code } = error as Partial<NodeJS.ErrnoException>;
  if (/ was signed by \d+\/\d+ keys$/.test(message))
    return "see that tuf.root is a root.json of this repository; if it is, ask whoever runs the mirror who signs there";
  if (unknownAuthority.includes(code))
    return "name the mirror's authority in the Helm value trust.tuf.caConfigMap, or in NODE_EXTRA_CA_CERTS";
  return "see that the mirror can be reached and is kept up to date";
}
