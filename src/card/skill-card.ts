export interface CardRisk {
  readonly id?: string;
  readonly text: string;
  /** Absent or empty if the card gives none. */
  readonly mitigation?: string;
}

/** Supported card formats. */
export type CardFormat = "skill-card.md" | "skill_card.yaml" | "SKILLCARD.yaml" | "CARD.md";

/**
 * A skill's card with SKILL.md's claims, in one model for all formats. All of it is a claim of the author. A field
 * that the source lacks is absent; one that it leaves empty is empty.
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
  /** `raw` as written; `spdx` if it is readable as an SPDX expression. */
  readonly license?: { readonly raw: string; readonly spdx?: string };
  readonly useCase?: string;
  readonly geography?: string;
  readonly posture?: "commercial" | "research" | "demonstration";
  readonly risks: readonly CardRisk[];
  readonly limitations: readonly string[];
  /** Claims of all cards, permissions.yaml and SKILL.md's frontmatter, in the form of `permissionDenied`. */
  readonly permissions: readonly string[];
  readonly dependencies: readonly string[];
  readonly references: readonly { readonly label?: string; readonly url: string }[];
  /** The card's answer to whether the skill needs a credential. */
  readonly credentials?: "yes" | "no" | "optional" | "unspecified";
  /** Risk class by the card's tool, `executable-L1`. */
  readonly riskTier?: string;
  /** Last day of the card's validity, `2027-06-29`. */
  readonly expires?: string;
}

/** SKILL.md's frontmatter by the rules of agentskills.io. */
export interface SkillFrontmatter {
  /** Path of the file that it stands in: `SKILL.md` or `skill.md`. */
  readonly path: string;
  readonly name?: string;
  readonly description?: string;
  readonly license?: string;
  readonly version?: string;
  readonly compatibility?: string;
  /**
   * Tokens of `allowed-tools`, and of the common fields `tools` and `permissions`, which agentskills.io does not
   * define.
   */
  readonly allowedTools: readonly string[];
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** The behaviour of a skill's files when they run, as declared in `permissions.yaml`. */
export interface PermissionManifest {
  readonly path: "permissions.yaml";
  readonly model?: "executable" | "knowledge";
  /** In the form of `permissionDenied`: `executes`, `network`, `shell`, `filesystem:write`, and further members. */
  readonly permissions: readonly string[];
}

/** One fault of a card or frontmatter. */
export interface CardFault {
  readonly path: string;
  readonly field?: string;
  readonly detail: string;
}

/** Facts about a skill's descriptions of itself. */
export interface CardEvidence {
  /** The card; absent if none could be read. */
  readonly card?: SkillCard;
  readonly frontmatter?: SkillFrontmatter;
  readonly manifest?: PermissionManifest;
  /** Violations of the formats: an unreadable card, a missing frontmatter, a name that is not the folder's. */
  readonly faults: readonly CardFault[];
}
