import type { FormatDescriptor, FormatSigning } from "./format.ts";
import { guideFormat } from "./guide/format.ts";
import { omsFormat } from "./oms/format.ts";
import { folderFormats, type FolderFormat, type SigningFormat } from "./signature-evidence.ts";
import type { TrustMaterial } from "./trust-material.ts";
import { trustCardFormat } from "./trust-card/format.ts";
import { vettFormat } from "./vett/format.ts";

/** A format whose signatures are proved by something in the trust material. */
export type Format = FormatDescriptor<TrustMaterial>;

/** One that this program signs in. */
export type SignableFormat = Format & { readonly signing: FormatSigning };

/** Every format of signatures in a skill's folder, by name. Whatever differs between formats stands here. */
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

/** The same, in the order in which they are looked for. */
export const formats: readonly Format[] = folderFormats.map((name) => formatOf[name]);
