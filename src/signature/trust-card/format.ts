import type { FormatDescriptor } from "../format.ts";
import type { SigstoreTrust } from "../sigstore/root/sigstore-root.ts";
import type { KeyTrust } from "../trusted-key.ts";
import { trustCardFileName } from "./card-file.ts";
import { cardManifestFileName, isLeftOut } from "./listing.ts";
import { cardBundleFileName } from "./signing.ts";
import { hasTrustCardSignature, verifyTrustCard } from "./verify.ts";

/** Signature of a trust card. `card.py` leaves some names out of its digest. */
export const trustCardFormat = {
  name: "trust-card",
  title: "trust card",
  file: trustCardFileName,
  proved: [cardManifestFileName, cardBundleFileName],
  unsigned: [trustCardFileName],
  isIn: hasTrustCardSignature,
  verify: verifyTrustCard,
  passesOver: isLeftOut,
  byRegistry: false,
} as const satisfies FormatDescriptor<KeyTrust & SigstoreTrust>;
