import type { FormatDescriptor, FormatSigning } from "./format.ts";
import { guideFormat } from "./guide/format.ts";
import { omsFormat } from "./oms/format.ts";
import { folderFormats, type FolderFormat, type SigningFormat } from "./signature-evidence.ts";
import type { TrustMaterial } from "./trust-material.ts";
import { trustCardFormat } from "./trust-card/format.ts";
import { vettFormat } from "./vett/format.ts";

/** A signature format of skills, verified by the trust material. */
export type Format = FormatDescriptor<TrustMaterial>;

/** A format that this program can sign in. */
export type SignableFormat = Format & { readonly signing: FormatSigning };

/** All formats in a skill's folder, by name. Everything that differs between formats is in their descriptors. */
export const formatOf = {
  oms: omsFormat,
  guide: guideFormat,
  vett: vettFormat,
  "trust-card": trustCardFormat,
} satisfies {
  readonly [Name in FolderFormat]: (Name extends SigningFormat
    ? SignableFormat
    : Format & { readonly signing?: never }) & { readonly name: Name };
};

/** All formats, in the order of search. */
export const formats: readonly Format[] = folderFormats.map((name) => formatOf[name]);
