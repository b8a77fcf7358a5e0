import type { Evidence } from "../evidence/evidence.ts";
import type { LabelSelector } from "../kubernetes/label-selector.ts";
import type { Layer, MinimumGrade } from "../evidence/grade.ts";
import type { PlaceRule, SourceKind } from "../skill/reference.ts";
import type { Skill } from "../skill/skill.ts";
import type { Validity } from "../signature/validity.ts";
import type { CertificateClaim } from "../signature/sigstore/identity/claims.ts";
import type { TrustMaterial } from "../signature/trust-material.ts";
import type { Finding, Mode } from "./finding.ts";

export type Response = "Deny" | "Warn" | "Allow";

/** When stored pods are judged once more: as the watch shows them, or also when they are bound to a node. */
export type Recheck = "Watch" | "Binding";

/**
 * Trust periods of the entries that hold a key, anchor or root, by its fingerprint. A publisher without them, with
 * material of its own, is trusted at any time.
 */
export type Periods = ReadonlyMap<string, readonly Validity[]>;

/** A party whose signatures a policy accepts, resolved to fingerprints. */
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
      /** Fingerprints of the accepted anchors; the chain must end in one of them. */
      readonly anchors: readonly string[];
      readonly periods?: Periods;
      /** Required attributes of the leaf's subject by short name: `{O: "NVIDIA Corporation"}`. Compared exactly. */
      readonly subject: Readonly<Record<string, string>>;
    }
  | {
      readonly kind: "keyless";
      readonly name: string;
      /** Fingerprints of the accepted Sigstore roots; one of them must prove the signature. */
      readonly roots: readonly string[];
      readonly periods?: Periods;
      /** OIDC issuer, compared exactly. */
      readonly issuer: string;
      /** Tests a whole identity. */
      readonly isIdentity: (identity: string) => boolean;
      /** Required certificate claims about the build, by the names of `Signer`. Compared exactly. */
      readonly claims: Readonly<Partial<Record<CertificateClaim, string>>>;
    }
  | {
      readonly kind: "vett";
      readonly name: string;
      /** Fingerprints of the accepted registries; one of them must have signed. */
      readonly registries: readonly string[];
      /** Accepted skills: name of the folder, and one of the two hashes of the manifest, hex. */
      readonly skills: readonly { readonly name: string; readonly version: string; readonly hash: string }[];
    };

/** A ClusterSkillPolicy, or a SkillRevocationList with `enforcement: Always`, validated and resolved. */
export interface Policy {
  readonly name: string;
  /** `metadata.generation`, which the API server raises with every change of the policy; absent in files. */
  readonly generation?: number;
  readonly tenant: string;
  readonly mode: Mode;
  /** Response to controllers of pods (Deployments, …); their pods are judged in any case. */
  readonly controllers: "Warn" | "Enforce";
  /** Tests whether the policy applies to a namespace with this name and these labels. */
  readonly appliesTo: (namespace: string, labels: Readonly<Record<string, string>>) => boolean;
  /** Selects these namespaces, and those besides that the installation leaves out. */
  readonly namespaceSelector: LabelSelector;
  /** Folders whose children are skills, in addition to the built-in ones: absolute, or beginning with a dot folder. */
  readonly skillRoots: readonly string[];
  /**
   * Admitted skills; empty: all. In `names`, `*` stands for any characters. `noMatch` is the response to skills
   * that no entry matches; all other requirements apply to them too.
   */
  readonly skills: readonly { readonly names: readonly string[]; readonly sources: readonly SourceKind[] }[];
  readonly noMatch: Response;
  readonly publishers: readonly Publisher[];
  readonly minimum: Readonly<Partial<Record<Layer, MinimumGrade>>>;
  /**
   * Findings about the card. A function: only policies with card requirements load the licence parser, which takes
   * longer to load than everything else together.
   */
  readonly card: (evidence: Evidence) => readonly Finding[];
  /** Findings about revoked content and signers; they deny whatever else holds. */
  readonly revoked: (skill: Skill, evidence: Evidence) => readonly Finding[];
  /** Maximum age of a signature, in milliseconds and as written; absent: any age. */
  readonly freshness?: { readonly maxSignatureAge: number; readonly written: string };
  readonly immutability: {
    readonly configMap: boolean;
    readonly readOnlyMount: boolean;
    readonly readOnlyRootFilesystem: boolean;
    /** Whether a pod's containers may not see each other's processes. */
    readonly privateProcesses: boolean;
  };
  /** Pods whose mounts hold verified skills only, but for those at or below a folder of `data`; absent: none. */
  readonly closed?: {
    /** Keys of the labels that `selects` reads. */
    readonly labels: readonly string[];
    readonly selects: (labels: Readonly<Record<string, string>>) => boolean;
    readonly data: readonly string[];
  };
  readonly recheck: Recheck;
  /** Response to content that cannot be read, by its kind and the rule by which its place counts. */
  readonly unverifiable: (kind: SourceKind, rule: PlaceRule) => Response;
  /** Response to a bad signature beside a good one by a publisher. */
  readonly otherSignatures: Response;
  /** `until`: milliseconds since 1970, from which unsigned skills are denied whatever `action` is. */
  readonly unsigned: { readonly action: "Deny" | "Warn"; readonly until?: number };
  /**
   * Set for a SkillRevocationList with `enforcement: Always`: it refuses what it revokes, and demands nothing else.
   */
  readonly always?: true;
  /**
   * Reason why the policy cannot be used as written. It then denies every skill in its namespaces: never "no
   * policy".
   */
  readonly invalidReason?: string;
}

/** All policies and all trust at one moment, consistent with each other. */
export interface PolicySnapshot {
  readonly policies: readonly Policy[];
  readonly trust: TrustMaterial;
}

/** Port: the policies in force. */
export interface PolicyIndex {
  /** The latest snapshot. Cheap; the same object until something changes. */
  current(): PolicySnapshot;
}
