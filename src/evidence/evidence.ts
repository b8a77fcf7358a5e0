import type { ScanReading } from "../card/scan-report.ts";
import type { CardEvidence } from "../card/skill-card.ts";
import type { SignatureEvidence } from "../signature/signature-evidence.ts";
import type { Validity } from "../signature/validity.ts";

/**
 * Everything established about one skill's bytes, whichever policy asks. Cached by the tree's digest, the folder's
 * name and the version of the trust material, while `validity` lasts.
 */
export interface Evidence {
  /** The signature that proves most; `unsigned` if there is none. */
  readonly signature: SignatureEvidence;
  /** The skill's other signatures. */
  readonly others?: readonly SignatureEvidence[];
  readonly card: CardEvidence;
  /** A scanner's report; absent if the skill has none. */
  readonly scan?: ScanReading;
  readonly validity: Validity;
}
