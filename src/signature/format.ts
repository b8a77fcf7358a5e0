import type { KeyObject, X509Certificate } from "node:crypto";
import type { Skill } from "../skill/skill.ts";
import type { FolderFormat, SignatureEvidence } from "./signature-evidence.ts";

/**
 * A signature format, and its treatment of other files.
 * @typeParam Trust trust that its signatures are verified by
 */
export interface FormatDescriptor<in Trust> {
  readonly name: FolderFormat;
  /** Name for people. */
  readonly title: string;
  /** Path of the signature file: its presence in a skill claims a signature, and messages name it. */
  readonly file: string;
  /**
   * Files that a valid signature proves without listing them: the signature itself, and the document that its own
   * digest covers.
   */
  readonly proved: readonly string[];
  /** Files of the format that are not signed: anybody could have written them. */
  readonly unsigned: readonly string[];
  /** Whether a skill claims a signature of this format, valid or not. */
  readonly isIn: (skill: Skill) => boolean;
  /**
   * Never throws: faults become evidence.
   * @param path of the signature file
   * @param now milliseconds since 1970
   */
  readonly verify: (skill: Skill, path: string, trust: Trust, now: number) => SignatureEvidence;
  /** Whether the format's own tool ignores a file that is neither listed nor the signature's own. */
  readonly passesOver: (path: string) => boolean;
  /**
   * Whether the skill's signature leaves this file out of its list and so permits another signature there. Absent: the
   * format cannot.
   */
  readonly leavesRoomFor?: (skill: Skill, path: string) => boolean;
  /** Whether a registry makes the signature: the owner of the skill cannot sign anew. */
  readonly byRegistry: boolean;
  /** Absent: verified only, not signed. */
  readonly signing?: FormatSigning;
}

/** Key material that signs a skill. */
export interface SignMaterial {
  readonly key: KeyObject;
  /** Leaf first; only if the format takes certificates. */
  readonly certificates?: readonly X509Certificate[];
  /** Files of other signatures, left out of this one; only if the format can leave files out. */
  readonly leftOut?: readonly string[];
}

/** Signing in a format. */
export interface FormatSigning {
  /** Key type, by Node's `asymmetricKeyType`. */
  readonly keyType: "ec" | "ed25519";
  readonly takesCertificates: boolean;
  /** @throws SignatureError for a skill or key whose signature would not verify */
  readonly sign: (skill: Skill, material: SignMaterial) => Uint8Array;
  /**
   * The in-toto statement that a keyless signer signs. Absent: the format has no keyless signatures.
   * @throws SignatureError for a skill whose signature would not verify
   */
  readonly statement?: (skill: Skill, leftOut: readonly string[]) => Uint8Array;
  /** Whether its signatures leave out this file, beside the signature's own. */
  readonly leavesOut: (path: string) => boolean;
  /** The hint by which messages name an untrusted key; undefined if the format has no hints. */
  readonly hintOf: (key: KeyObject) => string | undefined;
}
