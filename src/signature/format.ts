import type { KeyObject, X509Certificate } from "node:crypto";
import type { Skill } from "../skill/skill.ts";
import type { FolderFormat, SignatureEvidence } from "./signature-evidence.ts";

/**
 * A signature format, and how it stands to files that are not its own.
 */
export interface FormatDescriptor<in Trust> {
  readonly name: FolderFormat;
  /** For people: whose format it is. */
  readonly title: string;
  /** Path of the file by which a signature is found in a skill, and known in messages. */
  readonly file: string;
  /** Files that a good signature answers for: itself, and what its own digest is over. */
  readonly proved: readonly string[];
  /** Files that come with it, and anybody could have written. */
  readonly unsigned: readonly string[];
  /** Is there a signature in a skill, be it a bad one. */
  readonly isIn: (skill: Skill) => boolean;
  /**
   * Does not throw, whatever the bytes hold.
   * @param path of the signature file
   * @param now milliseconds since 1970
   */
  readonly verify: (skill: Skill, path: string, trust: Trust, now: number) => SignatureEvidence;
  /** Does the format's own tool pass over such a file where it is neither listed nor the signature's own. */
  readonly passesOver: (path: string) => boolean;
  /** Does the signature that is there leave this file out of its list, so that another may be there. Absent: it has no way to. */
  readonly leavesRoomFor?: (skill: Skill, path: string) => boolean;
  /** Is it made by a registry, so that whoever has the skill cannot make it anew. */
  readonly byRegistry: boolean;
  /** Absent: this program does not sign in the format. */
  readonly signing?: FormatSigning;
}

/** With what a skill is signed. */
export interface SignMaterial {
  readonly key: KeyObject;
  /** Only where the format takes them. */
  readonly certificates?: readonly X509Certificate[];
  /** Paths of other signatures' files that this one leaves out; only where the format can leave room. */
  readonly leftOut?: readonly string[];
}

/** How signatures of a format are made. */
export interface FormatSigning {
  /** Kind of its keys, as Node calls it. */
  readonly keyType: "ec" | "ed25519";
  readonly takesCertificates: boolean;
  /** @throws SignatureError for what verification would refuse */
  readonly sign: (skill: Skill, material: SignMaterial) => Uint8Array;
  /**
   * The in-toto statement that an identity signs in place of a key. Absent: the format knows no keyless signers.
   * @throws SignatureError for what verification would refuse
   */
  readonly statement?: (skill: Skill, leftOut: readonly string[]) => Uint8Array;
  /** Is a file one that its signatures leave out, beside their own. */
  readonly leavesOut: (path: string) => boolean;
  /** How messages name the key where nobody trusts it; undefined where the format names none. */
  readonly hintOf: (key: KeyObject) => string | undefined;
}
