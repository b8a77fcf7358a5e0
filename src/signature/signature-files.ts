import { signatureFileName } from "./oms/manifest.ts";
import { guideSignatureFileName } from "./guide/manifest.ts";
import type { SignatureFormat } from "./signature-evidence.ts";
import { trustCardFileName } from "./trust-card/card-file.ts";
import { cardManifestFileName, isLeftOut } from "./trust-card/listing.ts";
import { cardBundleFileName } from "./trust-card/signing.ts";
import { vettFileNames } from "./vett/manifest.ts";

/** The files that a signature of one format consists of, and how that format stands to other files. */
export interface SignatureFiles {
  /** By which the signature is known in messages. */
  readonly name: string;
  /** What a good signature answers for: itself, and what its own digest is over. */
  readonly proved: readonly string[];
  /** What comes with it, and anybody could have written. */
  readonly unsigned: readonly string[];
  /** Does the format's own tool pass over such a file where it is neither listed nor the signature's own. */
  readonly passesOver: (path: string) => boolean;
}

const nothing = (): boolean => false;

/**
 * By format. model_signing 1.1 and the guide's code refuse every file that is not listed. Vett's client never looks at the folder
 * again; `card.py` leaves some names out of its digest.
 */
export const signatureFiles: Readonly<Record<Exclude<SignatureFormat, "cosign">, SignatureFiles>> = {
  oms: { name: signatureFileName, proved: [signatureFileName], unsigned: [], passesOver: nothing },
  guide: {
    name: guideSignatureFileName,
    proved: [guideSignatureFileName],
    unsigned: [],
    passesOver: nothing,
  },
  vett: {
    name: vettFileNames.bundle,
    proved: [vettFileNames.manifest, vettFileNames.bundle],
    unsigned: [vettFileNames.analysis],
    passesOver: () => true,
  },
  "trust-card": {
    name: trustCardFileName,
    proved: [cardManifestFileName, cardBundleFileName],
    unsigned: [trustCardFileName],
    passesOver: isLeftOut,
  },
};

/** Formats whose signatures stand in a skill's folder. */
export type FolderFormat = keyof typeof signatureFiles;
