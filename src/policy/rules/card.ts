import { defined } from "../../text/fields.ts";
import { isLicenseEntry, licenseAllowed, readLicense, type License } from "../../card/license/license.ts";
import { permissionDenied } from "../../card/permission.ts";
import type {
  CardEvidence,
  CardFault,
  CardFormat,
  PermissionManifest,
  SkillCard,
  SkillFrontmatter,
} from "../../card/skill-card.ts";
import { isCovered } from "../../evidence/covered.ts";
import type { Evidence } from "../../evidence/evidence.ts";
import { formatOf } from "../../signature/formats.ts";
import { isFolderFormat } from "../../signature/signature-evidence.ts";
import { memoizeByObject } from "../../text/memoize-by-object.ts";
import type { Finding } from "../finding.ts";
import { PolicyError } from "../policy-error.ts";
import type { Policy } from "../policy.ts";
import type { Reason } from "../reason.ts";
import type { CardField, CardSection } from "../resource/card-section.ts";

/** Card requirements of a policy, compiled. */
interface CardRequirement {
  readonly required: boolean;
  readonly fields: readonly CardField[];
  readonly mitigationPerRisk: boolean;
  readonly licenses?: CardSection["licenses"];
  readonly permissions?: CardSection["permissions"];
}

/** Maximum permissions and risks of one skill that are reported one by one. */
const maxListed = 20;

const cardPaths: readonly string[] = [
  "skill-card.md",
  "skill_card.yaml",
  "SKILLCARD.yaml",
  "CARD.md",
] satisfies readonly CardFormat[];

const finding = (code: Reason, message: string, path?: string): Finding => ({
  code,
  message,
  ...defined({ path }),
  tolerated: false,
});

/** Signed statements of a skill about itself. */
interface SignedClaims {
  readonly card: SkillCard | undefined;
  readonly frontmatter: SkillFrontmatter | undefined;
  readonly manifest: PermissionManifest | undefined;
  readonly faults: readonly CardFault[];
}

function isFilled(card: SkillCard, field: CardField): boolean {
  const value = card[field];
  if (value === undefined || value === "unspecified") return false;
  if (typeof value === "string") return value.trim() !== "";
  if ("raw" in value) return value.raw.trim() !== "";
  return value.length > 0;
}

const fieldFindings = ({ fields }: CardRequirement, card: SkillCard): readonly Finding[] =>
  fields
    .filter((field) => !isFilled(card, field))
    .map((field) => finding("CARD_INCOMPLETE", `the card does not fill ${field}`, card.path));

/** A dash or a blank of any kind mitigates nothing. */
const hasWords = /[\p{L}\p{N}]/u;

function riskFindings({ mitigationPerRisk }: CardRequirement, card: SkillCard): readonly Finding[] {
  if (!mitigationPerRisk) return [];
  return card.risks
    .filter(({ mitigation }) => mitigation === undefined || !hasWords.test(mitigation))
    .slice(0, maxListed)
    .map(({ id, text }) => {
      const risk = JSON.stringify(text.slice(0, 120));
      return finding(
        "RISK_UNMITIGATED",
        `no mitigation for the risk ${id === undefined ? "" : `${id.slice(0, 40)} `}${risk}`,
        card.path,
      );
    });
}

/** Remembered by frontmatter: correcting a misspelt licence takes about a millisecond. */
const licenseIn = memoizeByObject(({ license }: SkillFrontmatter): License | undefined =>
  license === undefined ? undefined : readLicense(license),
);

const licenseOf = ({ card, frontmatter }: SignedClaims): License | undefined =>
  card?.license ?? (frontmatter && licenseIn(frontmatter));

function licenseFindings({ licenses }: CardRequirement, claims: SignedClaims): readonly Finding[] {
  if (licenses === undefined) return [];
  const license = licenseOf(claims);
  const path = claims.card?.license === undefined ? undefined : claims.card.path;
  if (license === undefined || license.raw.trim() === "") {
    return [finding("LICENSE_NOT_ALLOWED", "no licence is stated", path)];
  }
  const raw = JSON.stringify(license.raw.slice(0, 120));
  if (license.spdx === undefined) {
    return [finding("LICENSE_NOT_ALLOWED", `the licence ${raw} is no SPDX expression`, path)];
  }
  return licenseAllowed(license.spdx, licenses)
    ? []
    : [
        finding(
          "LICENSE_NOT_ALLOWED",
          `the licence ${raw} is not among those that card.licenses of the policy allows`,
          path,
        ),
      ];
}

function permissionFindings({ permissions }: CardRequirement, claims: SignedClaims): readonly Finding[] {
  if (permissions === undefined) return [];
  const claimed = new Set([
    ...(claims.card?.permissions ?? []),
    ...(claims.manifest?.permissions ?? []),
    ...(claims.frontmatter?.allowedTools ?? []),
  ]);
  return [...claimed]
    .flatMap((permission) => {
      const pattern = permissions.deny.find((denied) => permissionDenied(permission, denied));
      return pattern === undefined ? [] : [{ permission: permission.slice(0, 120), pattern }];
    })
    .slice(0, maxListed)
    .map(({ permission, pattern }) =>
      finding(
        "PERMISSION_DENIED",
        `the skill claims ${JSON.stringify(permission)}, which the policy's card.permissions.deny forbids by ${JSON.stringify(pattern)}`,
      ),
    );
}

function missingCard(
  requirement: CardRequirement,
  { card: unsigned }: CardEvidence,
  claims: SignedClaims,
): readonly Finding[] {
  if (claims.card !== undefined || (!requirement.required && requirement.fields.length === 0)) return [];
  if (unsigned !== undefined) return [finding("CARD_MISSING", "the card is not signed", unsigned.path)];
  // An unreadable card is not a missing one: its faults are reported instead.
  if (claims.faults.some(({ path }) => cardPaths.includes(path))) return [];
  return [finding("CARD_MISSING", "there is no skill card")];
}

const faultFinding = ({ path, field, detail }: CardFault): Finding =>
  finding("CARD_INCOMPLETE", `${field === undefined ? "" : `${field.slice(0, 80)}: `}${detail}`, path);

/**
 * A misspelt licence would allow or deny nothing.
 * @throws PolicyError Invalid if an entry is no single SPDX licence
 */
function assertLicenses(licenses: CardSection["licenses"]): void {
  for (const list of ["allow", "deny"] as const) {
    for (const [index, entry] of (licenses?.[list] ?? []).entries()) {
      if (isLicenseEntry(entry)) continue;
      const field = `spec.card.licenses.${list}[${index}]`;
      throw new PolicyError(
        "Invalid",
        `${field}: ${JSON.stringify(entry)} is no single SPDX licence; see spdx.org/licenses`,
      );
    }
  }
}

const demandsNothing = ({ required, fields, mitigationPerRisk, ...rest }: CardRequirement): boolean =>
  !required &&
  fields.length === 0 &&
  !mitigationPerRisk &&
  rest.licenses === undefined &&
  rest.permissions === undefined;

/**
 * Compiles the `card` section of a policy. Only statements that a trusted signer signed count; a tampered tree has
 * findings about its signature already.
 * @throws PolicyError Invalid if an entry is no single SPDX licence
 */
export function cardRule(section: CardSection = {}): Policy["card"] {
  const requirement = { required: false, fields: [], mitigationPerRisk: false, ...section };
  assertLicenses(requirement.licenses);
  return demandsNothing(requirement) ? () => [] : (evidence) => cardFindings(requirement, evidence);
}

/**
 * A trust card's signature does not cover the card itself, but a card that contradicts the files counts against the
 * skill.
 */
const isAbout = (signature: Evidence["signature"], path: string): boolean =>
  isCovered(signature, path) ||
  (signature.outcome === "signed" &&
    isFolderFormat(signature.format) &&
    formatOf[signature.format].file === path);

function cardFindings(
  requirement: CardRequirement,
  { signature, card: found }: Evidence,
): readonly Finding[] {
  if (signature.outcome !== "signed") return [];
  const claims: SignedClaims = {
    card: found.card !== undefined && isCovered(signature, found.card.path) ? found.card : undefined,
    frontmatter:
      found.frontmatter !== undefined && isCovered(signature, found.frontmatter.path)
        ? found.frontmatter
        : undefined,
    manifest:
      found.manifest !== undefined && isCovered(signature, found.manifest.path) ? found.manifest : undefined,
    faults: found.faults.filter(({ path }) => isAbout(signature, path)),
  };
  return [
    ...missingCard(requirement, found, claims),
    ...claims.faults.map(faultFinding),
    ...(claims.card === undefined ? [] : fieldFindings(requirement, claims.card)),
    ...(claims.card === undefined ? [] : riskFindings(requirement, claims.card)),
    ...licenseFindings(requirement, claims),
    ...permissionFindings(requirement, claims),
  ];
}
