import type { Layer, MinimumGrade } from "../evidence/grade.ts";
import type { SourceKind } from "../skill/reference.ts";
import type { TrustMaterial } from "../signature/trust-material.ts";
import type { Mode } from "./finding.ts";
import type { CardField } from "./resource/card-section.ts";

export type Response = "Deny" | "Warn" | "Allow";

/** A party whose signature a policy accepts, resolved to fingerprints. */
export type Publisher =
  | { readonly kind: "key"; readonly name: string; readonly publicKeys: readonly string[] }
  | {
      readonly kind: "certificate";
      readonly name: string;
      /** Fingerprints of the anchors, one of which the chain must reach. */
      readonly anchors: readonly string[];
      /** Attributes that the leaf's subject must have, by short name: `{O: "NVIDIA Corporation"}`. Compared exactly. */
      readonly subject: Readonly<Record<string, string>>;
    };

/** What a policy demands of a signed card. */
export interface CardRequirement {
  readonly required: boolean;
  readonly fields: readonly CardField[];
  readonly mitigationPerRisk: boolean;
  readonly licenses?: { readonly allow?: readonly string[]; readonly deny?: readonly string[] };
  readonly permissions?: { readonly deny: readonly string[] };
}

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
  readonly card: CardRequirement;
  readonly immutability: { readonly configMap: boolean; readonly readOnlyMount: boolean };
  readonly unverifiable: (kind: SourceKind) => Response;
  /** `until`: milliseconds since 1970, from when on unsigned skills are denied whatever `action` says. */
  readonly unsigned: { readonly action: "Deny" | "Warn"; readonly until?: number };
  /** Why this policy cannot be used as written. It then denies every skill it governs: never "no policy". */
  readonly broken?: string;
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
