/** One risk that a card names. */
export interface CardRisk {
  readonly id?: string;
  readonly text: string;
  /** Absent or empty where the card gives none. */
  readonly mitigation?: string;
}

/** Card formats that are understood. */
export type CardFormat = "skill-card.md" | "skill_card.yaml" | "SKILLCARD.yaml" | "CARD.md";

/**
 * What a skill's card and SKILL.md say, in one model whatever format they came in. Everything here is a claim
 * of the author. A field that the source does not have is absent; one that it leaves empty is empty.
 */
export interface SkillCard {
  readonly format: CardFormat;
  /** Path of the card inside the skill. */
  readonly path: string;
  readonly name?: string;
  readonly version?: string;
  readonly description?: string;
  readonly intent?: string;
  readonly owner?: string;
  /** As written; `spdx` where it could be read as an SPDX expression. */
  readonly license?: { readonly raw: string; readonly spdx?: string };
  readonly useCase?: string;
  readonly geography?: string;
  readonly posture?: "commercial" | "research" | "demonstration";
  readonly risks: readonly CardRisk[];
  readonly limitations: readonly string[];
  /** Claims of all cards, permissions.yaml and SKILL.md's frontmatter together, as `permissionDenied` compares them. */
  readonly permissions: readonly string[];
  readonly dependencies: readonly string[];
  readonly references: readonly { readonly label?: string; readonly url: string }[];
  /** Does the card say that the skill needs a credential. */
  readonly credentials?: "yes" | "no" | "optional" | "unspecified";
  /** How dangerous the card's tool thought the skill, `executable-L1`. */
  readonly riskTier?: string;
  /** The last day on which the card may be relied on, `2027-06-29`. */
  readonly expires?: string;
}

/** SKILL.md's frontmatter by the rules of agentskills.io. */
export interface SkillFrontmatter {
  readonly name?: string;
  readonly description?: string;
  readonly license?: string;
  readonly version?: string;
  readonly compatibility?: string;
  /** What the skill says it uses: the tokens of `allowed-tools`, and those of the wild fields `tools` and `permissions`. */
  readonly allowedTools: readonly string[];
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** What a skill's files do when they are run, as its `permissions.yaml` declares. */
export interface PermissionManifest {
  readonly path: "permissions.yaml";
  readonly model?: "executable" | "knowledge";
  /** As `permissionDenied` compares them: `executes`, `network`, `shell`, `filesystem:write`, and what else it names. */
  readonly permissions: readonly string[];
}

/** One thing wrong with a card or frontmatter: where, and in words. */
export interface CardFault {
  readonly path: string;
  readonly field?: string;
  readonly detail: string;
}

/** Facts about a skill's descriptions of itself. */
export interface CardEvidence {
  /** The card, where there is one that could be read. */
  readonly card?: SkillCard;
  readonly frontmatter?: SkillFrontmatter;
  readonly manifest?: PermissionManifest;
  /** Everything that breaks a rule of the formats: unreadable card, missing frontmatter, name that is not the folder's. */
  readonly faults: readonly CardFault[];
}
