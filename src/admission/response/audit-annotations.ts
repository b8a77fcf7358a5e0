import type { Finding, SkillResult, Verdict } from "../../policy/finding.ts";
import type { Reason } from "../../policy/reason.ts";
import { findingText } from "../../policy/verdict-text.ts";
import { printable, quoted } from "../../text/printable.ts";
import type { Decision, ReviewSubject } from "../decision.ts";

/**
 * Tenants write parts of these annotations: names of skills, paths, signers. Quoting keeps each part one item. A name
 * stands as it is if it has only letters, digits, `.`, `_` and `-`; any other is a JSON string. Text is a JSON string
 * if it could be read as several items. Subjects, identities, issuers and hints always are.
 */
const plainName = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
/** A path that stands as it is. */
const plainPath = /^(?:\/[A-Za-z0-9._-]+)+$/;
const ambiguous = /[";\\]/;

/** Characters of a part that a tenant wrote, before escaping; an item has two or three such parts. */
const maxPart = 120;
const maxText = 300;
/**
 * Items that are formatted at most: the length of the value ends the list anyway, and every request writes an audit
 * log entry.
 */
const maxItems = 100;
/** Characters kept free for `and N more`. */
const reserve = 20;

const name = (text: string): string =>
  plainName.test(text) && text.length <= maxPart ? text : quoted(text, maxPart);

const place = (path: string): string =>
  plainPath.test(path) && path.length <= maxText ? path : quoted(path, maxText);

const phrase = (text: string): string =>
  ambiguous.test(text) || text.length > maxText ? quoted(text, maxText) : printable(text, maxText);

interface ListFormat<Item> {
  readonly text: (item: Item) => string;
  readonly separator: string;
  readonly limit: number;
}

/** Joins the items that fit, each whole, and counts the others. */
function listed<Item>(items: readonly Item[], { text, separator, limit }: ListFormat<Item>): string {
  const shown: string[] = [];
  let room = limit - reserve;
  for (const item of items.slice(0, maxItems)) {
    const next = text(item);
    // An item that is too long is left out; the shorter ones after it still fit.
    if (next.length + separator.length > room) continue;
    room -= next.length + separator.length;
    shown.push(next);
  }
  const left = items.length - shown.length;
  return [...shown, ...(left === 0 ? [] : [`and ${left} more`])].join(separator);
}

/** Findings by which a policy does not accept the signer, or its verification failed. */
const disowning: ReadonlySet<Reason> = new Set(["UNTRUSTED_SIGNER", "SIGNER_EXPIRED", "INTERNAL"]);

/**
 * Warns beside a signer's name that it is not accepted: anybody can sign as "CN=NVIDIA".
 *
 * - `untrusted`: no trust root proves it, or no publisher of the policy made it
 * - `tampered`: a publisher's signature, but the files differ
 */
function markOf({ evidence, findings }: SkillResult): "" | " (untrusted)" | " (tampered)" {
  const signature = evidence?.signature;
  if (signature === undefined || signature.outcome === "unsigned") return "";
  if (
    signature.outcome === "untrusted" ||
    findings.some(({ code, by }) => by === undefined && disowning.has(code))
  )
    return " (untrusted)";
  return signature.outcome === "tampered" ? " (tampered)" : "";
}

function signerOf(skill: SkillResult): string {
  const { signature } = skill.evidence ?? {};
  if (signature === undefined || signature.outcome === "unsigned" || signature.signer === undefined)
    return "none";
  const { signer } = signature;
  switch (signer.kind) {
    case "certificate":
      return `${quoted(signer.subject, maxText)} certificate ${signer.fingerprint}${markOf(skill)}`;
    case "key":
      return `key ${signer.publicKey}${markOf(skill)}`;
    case "keyless":
      return `${quoted(signer.identity, maxText)} from ${quoted(signer.issuer, maxText)} certificate ${signer.fingerprint}${markOf(skill)}`;
    case "registry":
      return `${quoted(signer.hint, maxText)} key ${signer.publicKey}${markOf(skill)}`;
  }
}

function digestOf(skill: SkillResult): string {
  const { evidence } = skill;
  if (evidence === undefined) return "unread";
  const { outcome, digest } = evidence.signature;
  // Short unsigned bytes, such as a password, can be guessed by their digest; the log has it.
  if (outcome === "unsigned") return "unsigned";
  return digest === undefined ? "none" : `${digest}${markOf(skill)}`;
}

/** `etl@sha256:… at /skills/etl`; a demand on a pod's field has no place. */
const skillText = (skill: SkillResult): string => {
  const { name: called, path } = skill.reference;
  return `${name(called)}@${digestOf(skill)}${path === "" ? "" : ` at ${place(path)}`}`;
};

/**
 * Picks for each skill the least favourable result among the policies. Every verdict is about the same skills in the
 * same order.
 */
function worst([first, ...others]: readonly Verdict[]): readonly SkillResult[] {
  return (first?.skills ?? []).map((skill, index) => {
    const seen = [skill, ...others.flatMap(({ skills }) => skills[index] ?? [])];
    const marked = (mark: string): SkillResult | undefined => seen.find((one) => markOf(one) === mark);
    return marked(" (untrusted)") ?? marked(" (tampered)") ?? skill;
  });
}

interface FindingContext {
  readonly policy: string;
  readonly skill: string;
  readonly finding: Finding;
}

/** One finding as an item of `causes`. */
const causeOf = ({ policy, skill, finding }: FindingContext): string =>
  `${name(policy)}: ${name(skill)}: ${finding.code} ${phrase(findingText(finding).slice(finding.code.length + 1))}`;

/** The owners that an object names, its controller first; none where it names none. */
export const ownersAnnotation = ({ owners = [] }: ReviewSubject): { readonly owners?: string } =>
  owners.length === 0
    ? {}
    : {
        owners: listed(owners, {
          text: (owner) => `${name(owner.kind)}/${name(owner.name)}`,
          separator: ",",
          limit: 1000,
        }),
      };

/** The error of a failed review, as the one item of `causes`. */
export const errorCause = (code: string, message: string): string => `${code} ${phrase(message)}`;

/** A decision that rests on verdicts. */
export type Judged = Extract<Decision, { readonly verdicts: readonly Verdict[] }>;

/**
 * Annotations for the API server's audit log, of admitted requests too: policies with their versions and outcome,
 * digests and signers of the skills, and what was found. docs/records.md describes the values.
 */
export function auditAnnotations({
  outcome,
  id,
  subject,
  verdicts,
  trust,
}: Judged): Readonly<Record<string, string>> {
  const skills = worst(verdicts);
  const told: readonly FindingContext[] = verdicts.flatMap(({ policy, skills: judged }) =>
    judged.flatMap(({ reference, findings }) =>
      findings.map((finding) => ({ policy, skill: reference.name, finding })),
    ),
  );
  const lists = {
    policies: listed(verdicts, {
      text: ({ policy, generation, mode, outcome: said }) =>
        `${name(policy)}${generation === undefined ? "" : `@${generation}`}=${mode}:${said}`,
      separator: ",",
      limit: 1000,
    }),
    skills: listed(skills, {
      text: skillText,
      separator: ",",
      limit: 4000,
    }),
    signers: listed(skills, {
      text: (skill) => `${name(skill.reference.name)}=${signerOf(skill)}`,
      separator: "; ",
      limit: 4000,
    }),
    findings: [...new Set(told.map(({ finding }) => finding.code))].join(","),
    causes: listed(told, { text: causeOf, separator: "; ", limit: 4000 }),
  };
  return {
    decision: `${outcome} ${printable(id, 16)}`,
    trust: printable(trust, 80),
    ...ownersAnnotation(subject),
    ...Object.fromEntries(Object.entries(lists).filter(([, value]) => value !== "")),
  };
}
