import type { Evidence } from "../evidence/evidence.ts";
import type { Layer, MinimumGrade } from "../evidence/grade.ts";
import type { SourceKind } from "../skill/reference.ts";
import type { Skill } from "../skill/skill.ts";
import type { Validity } from "../signature/validity.ts";
import type { CertificateClaim } from "../signature/sigstore/identity/claims.ts";
import type { TrustMaterial } from "../signature/trust-material.ts";
import type { Finding, Mode } from "./finding.ts";

export type Response = "Deny" | "Warn" | "Allow";

/**
 * By the fingerprint of a key, anchor or root: when each entry of a trust root counts that holds it. Absent from a publisher
 * that brings its own material: always.
 */
export type Periods = ReadonlyMap<string, readonly Validity[]>;

/** A party whose signature a policy accepts, resolved to fingerprints. */
export type Publisher =
  | {
      readonly kind: "key";
      readonly name: string;
      readonly publicKeys: readonly string[];
      readonly periods?: Periods;
    }
  | {
      readonly kind: "certificate";
      readonly name: string;
      /** Fingerprints of the anchors, one of which the chain must reach. */
      readonly anchors: readonly string[];
      readonly periods?: Periods;
      /** Attributes that the leaf's subject must have, by short name: `{O: "NVIDIA Corporation"}`. Compared exactly. */
      readonly subject: Readonly<Record<string, string>>;
    }
  | {
      readonly kind: "keyless";
      readonly name: string;
      /** Fingerprints of the Sigstore roots, by one of which the signature must be proved. */
      readonly roots: readonly string[];
      readonly periods?: Periods;
      /** Compared exactly. */
      readonly issuer: string;
      /** Is the whole of this identity the publisher's. */
      readonly isIdentity: (identity: string) => boolean;
      /** What the certificate must say of the build, by the names of `Signer`. Compared exactly. */
      readonly claims: Readonly<Partial<Record<CertificateClaim, string>>>;
    }
  | {
      readonly kind: "vett";
      readonly name: string;
      /** Fingerprints of the registries, one of which must have signed. */
      readonly registries: readonly string[];
      /** The skills that are accepted: name of the folder, and hash of its manifest (either one), hex. */
      readonly skills: readonly { readonly name: string; readonly version: string; readonly hash: string }[];
    };

/** A ClusterSkillPolicy, checked and resolved: ready to judge with. */
export interface Policy {
  readonly name: string;
  readonly tenant: string;
  readonly mode: Mode;
  /** Are the makers of pods (Deployments, …) denied too, or only warned about. */
  readonly controllers: "Warn" | "Enforce";
  /** Does the policy govern a namespace with this name and these labels. */
  readonly governs: (namespace: string, labels: Readonly<Record<string, string>>) => boolean;
  /** Absolute folders whose children are skills, beside the built-in ones. */
  readonly skillRoots: readonly string[];
  /**
   * Skills that may be brought in at all; empty: any. In `names`, `*` stands for any characters. `noMatch` answers for
   * skills that no entry matches, and for nothing else: all other demands are made of them too.
   */
  readonly skills: readonly { readonly names: readonly string[]; readonly sources: readonly SourceKind[] }[];
  readonly noMatch: Response;
  readonly publishers: readonly Publisher[];
  readonly minimum: Readonly<Partial<Record<Layer, MinimumGrade>>>;
  /**
   * What the card leaves to be desired, by what the policy demands of it. A function, so that whoever demands nothing
   * needs not load what reads licences, which takes longer than everything else together.
   */
  readonly card: (evidence: Evidence) => readonly Finding[];
  /** What of a skill, or of whoever signed it, is revoked: refused whatever else holds. */
  readonly revoked: (skill: Skill, evidence: Evidence) => readonly Finding[];
  /** Oldest signature that is accepted, milliseconds, and as it is written; absent: any. */
  readonly freshness?: { readonly maxSignatureAge: number; readonly written: string };
  readonly immutability: { readonly configMap: boolean; readonly readOnlyMount: boolean };
  readonly unverifiable: (kind: SourceKind) => Response;
  /** The answer to a bad signature beside a good one of a publisher. */
  readonly otherSignatures: Response;
  /** `until`: milliseconds since 1970, from when on unsigned skills are denied whatever `action` says. */
  readonly unsigned: { readonly action: "Deny" | "Warn"; readonly until?: number };
  /** Why this policy cannot be used as written. It then denies every skill it governs: never "no policy". */
  readonly invalidReason?: string;
}

/** All policies and all trust at one moment, one consistent whole. */
export interface PolicySnapshot {
  readonly policies: readonly Policy[];
  readonly trust: TrustMaterial;
}

/** Port: the policies in force. */
export interface PolicyIndex {
  /** The latest snapshot. Cheap; the same object until something changes. */
  current(): PolicySnapshot;
}
