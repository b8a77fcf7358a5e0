import { pathFault } from "../../skill/path.ts";
import type { Sha256 } from "../../skill/digest.ts";
import { malformed } from "../signature-error.ts";
import { quoted } from "../../text/printable.ts";
import type { IgnoredPaths } from "./ignore.ts";
import type { OmsHash } from "./digest.ts";

/** Where an OpenSSF Model Signing signature stands in a skill: at its root, under the name that catalogues use. */
export const signatureFileName = "skill.oms.sig";

/** A signed stretch of a file: all of it, or the bytes from `start` up to, not including, `end`. */
export interface ListedPiece {
  readonly range?: { readonly start: number; readonly end: number };
  /** Lower-case hex. */
  readonly digest: string;
}

/** What a signer listed. */
export interface OmsManifest {
  /** The root digest, signed or (in the oldest format, which has none) worked out from the list. */
  readonly digest: Sha256;
  readonly hash: OmsHash;
  /** Path → its pieces in the order of the file, never empty; files in listed order. */
  readonly files: ReadonlyMap<string, readonly ListedPiece[]>;
  /** Were files cut into shards. Empty files are then not listed. */
  readonly sharded: boolean;
  readonly ignored: IgnoredPaths;
  /** Is it the statement of model-signing 0.2, which was signed in an encoding of its own. */
  readonly legacy: boolean;
}

/**
 * A name from the list, as a path below the skill's folder.
 * @throws SignatureError MANIFEST_MALFORMED for names that leave it, or that could be read in two ways
 */
export function assertListedPath(path: string): string {
  const fault = pathFault(path);
  if (fault !== undefined) throw malformed(`the listed name ${quoted(path)} ${fault}`);
  return path;
}

/** @throws SignatureError MANIFEST_MALFORMED where verifiers must ignore what the signature lists. */
export function assertNoneIgnored(files: Iterable<string>, ignored: IgnoredPaths): void {
  for (const path of files) {
    if (ignored.covers(path)) {
      throw malformed(
        `the signature lists ${quoted(path)}, which verifiers ignore: sign again, without that file`,
      );
    }
  }
}
