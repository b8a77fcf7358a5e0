import { SignatureError } from "../signature/signature-error.ts";
import { readClientTrustConfig } from "../signature/sigstore/client-trust-config.ts";
import { publicGoodRoot } from "../signature/sigstore/public-good-root.ts";
import { defaultThresholds, type Thresholds } from "../signature/sigstore/thresholds.ts";
import { readTrustedRoot } from "../signature/sigstore/trusted-root.ts";
import type { SigstoreRoot } from "../signature/trust-material.ts";
import { PolicyError } from "./policy-error.ts";
import type { SigstoreRootSpec } from "./resource/sigstore-root.ts";

const thresholdsOf = ({
  tlogThreshold: tlog = defaultThresholds.tlog,
  timestampThreshold: timestamp,
  ctlogThreshold: ctlog = defaultThresholds.ctlog,
}: SigstoreRootSpec): Thresholds => ({ tlog, ...(timestamp === undefined ? {} : { timestamp }), ctlog });

function readRoot(entry: SigstoreRootSpec, names: readonly string[]): SigstoreRoot {
  const { trustedRoot = publicGoodRoot, clientTrustConfig } = entry;
  return clientTrustConfig === undefined
    ? readTrustedRoot(trustedRoot, names, thresholdsOf(entry))
    : readClientTrustConfig(clientTrustConfig, names, thresholdsOf(entry));
}

/**
 * A Sigstore instance of a SkillTrustRoot.
 * @param field where the entry stands, for messages
 * @throws PolicyError UnusableTrust
 */
export function readSigstoreRoot(entry: SigstoreRootSpec, root: string, field: string): SigstoreRoot {
  try {
    return readRoot(entry, [`${root}/${entry.name}`]);
  } catch (cause) {
    if (!(cause instanceof SignatureError)) throw cause;
    const [member, remedy] =
      entry.clientTrustConfig === undefined
        ? ["trustedRoot", "the text of a trusted_root.json"]
        : ["clientTrustConfig", "the text of a ClientTrustConfig"];
    throw new PolicyError("UnusableTrust", `${field}.${member}: ${cause.message}; give ${remedy}`, { cause });
  }
}
