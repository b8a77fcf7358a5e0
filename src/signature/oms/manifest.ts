import { pathFault } from "../../skill/path.ts";
import type { Sha256 } from "../../skill/digest.ts";
import { malformed } from "../signature-error.ts";
import { quoted } from "../../text/printable.ts";
import type { IgnoredPaths } from "./ignore.ts";
import type { OmsHash } from "./digest.ts";

/** Path of an OpenSSF Model Signing signature in a skill: at its root, under the name that catalogues use. */
export const signatureFileName = "skill.oms.sig";

/** A signed part of a file: all of it, or the bytes from `start` (inclusive) to `end` (exclusive). */
export interface ListedPiece {
  readonly range?: { readonly start: number; readonly end: number };
  /** Lower-case hex. */
  readonly digest: string;
}

/** The signed list of files. */
export interface OmsManifest {
  /** The root digest; in the oldest format, which signs none, computed from the list. */
  readonly digest: Sha256;
  readonly hash: OmsHash;
  /** Path → its pieces in file order, never empty; files in listed order. */
  readonly files: ReadonlyMap<string, readonly ListedPiece[]>;
  /** Whether files are cut into shards. Empty files are then not listed. */
  readonly sharded: boolean;
  readonly ignored: IgnoredPaths;
  /** Whether it is a statement of model-signing 0.2, which signed an encoding of its own. */
  readonly legacy: boolean;
}

/**
 * Asserts that a listed name is a clean path below the skill's folder.
 * @throws SignatureError MANIFEST_MALFORMED for a name that leaves the folder or is ambiguous
 */
export function assertListedPath(path: string): string {
  const fault = pathFault(path);
  if (fault !== undefined) throw malformed(`the listed name ${quoted(path)} ${fault}`);
  return path;
}

/** @throws SignatureError MANIFEST_MALFORMED for a listed file that verifiers must ignore */
export function assertNoneIgnored(files: Iterable<string>, ignored: IgnoredPaths): void {
  for (const path of files) {
    if (ignored.covers(path)) {
      throw malformed(
        `the signature lists ${quoted(path)}, which verifiers ignore: sign again, without that file`,
      );
    }
  }
}
