import type { ScanReading } from "../card/scan-report.ts";
import type { CardEvidence } from "../card/skill-card.ts";
import type { SignatureEvidence } from "../signature/signature-evidence.ts";
import type { Validity } from "../signature/validity.ts";

/**
 * Everything established about one skill's bytes: the same for whoever asks, whatever the policy. Cached by the
 * tree's digest and the version of the trust material, as long as `validity` covers the present.
 */
export interface Evidence {
  /** The signature that proves most, or that there is none. */
  readonly signature: SignatureEvidence;
  /** The other signatures of a skill that has several. */
  readonly others?: readonly SignatureEvidence[];
  readonly card: CardEvidence;
  /** A scanner's report in the skill, where there is one. */
  readonly scan?: ScanReading;
  readonly validity: Validity;
}
