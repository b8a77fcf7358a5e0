import type { Finding, SkillResult, Verdict } from "../policy/finding.ts";
import type { Reason } from "../policy/reason.ts";
import { findingText } from "./denial.ts";
import { printable, quoted } from "../text/printable.ts";

/**
 * Values of annotations are lists whose items tenants have a part in: names of skills, paths, signers. Whatever they
 * write, it is one item. A name of letters, digits, `.`, `_` and `-` stands as it is, every other one as a JSON string; text
 * that could be read as more than one item is a JSON string, too; a subject, identity, issuer or hint always is.
 */
const plainName = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
const ambiguous = /[";\\]/;

/** Characters of a part that somebody else has written, before escaping: two or three times that is one item. */
const maxPart = 120;
const maxText = 300;
/** Items that are looked at before the length of the value ends it anyway: an audit log keeps it for every request. */
const maxItems = 100;
/** Room for the words that count the rest. */
const reserve = 20;

const name = (text: string): string =>
  plainName.test(text) && text.length <= maxPart ? text : quoted(text, maxPart);

const phrase = (text: string): string =>
  ambiguous.test(text) || text.length > maxText ? quoted(text, maxText) : printable(text, maxText);

interface ListFormat<Item> {
  readonly text: (item: Item) => string;
  readonly separator: string;
  readonly limit: number;
}

/** Whole items only, those that fit; the others are counted. */
function listed<Item>(items: readonly Item[], { text, separator, limit }: ListFormat<Item>): string {
  const shown: string[] = [];
  let room = limit - reserve;
  for (const item of items.slice(0, maxItems)) {
    const next = text(item);
    // One that is too long does not take the place of those behind it.
    if (next.length + separator.length > room) continue;
    room -= next.length + separator.length;
    shown.push(next);
  }
  const left = items.length - shown.length;
  return [...shown, ...(left === 0 ? [] : [`and ${left} more`])].join(separator);
}

/** Findings after which the signature is none of a publisher of the policy, or nobody could tell. */
const disowning: ReadonlySet<Reason> = new Set(["UNTRUSTED_SIGNER", "SIGNER_EXPIRED", "INTERNAL"]);

/**
 * What has to be known of a signature beside what it says of itself: anybody can sign as "CN=NVIDIA".
 *
 * - `untrusted`: proved by no trust root, or no publisher of the policy made it
 * - `tampered`: a publisher's, and the files are other ones
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
      return `${quoted(signer.subject, maxText)}${markOf(skill)}`;
    case "key":
      return `key ${signer.publicKey}${markOf(skill)}`;
    case "keyless":
      return `${quoted(signer.identity, maxText)} from ${quoted(signer.issuer, maxText)}${markOf(skill)}`;
    case "registry":
      return `${quoted(signer.hint, maxText)} key ${signer.publicKey}${markOf(skill)}`;
  }
}

function digestOf(skill: SkillResult): string {
  const { evidence } = skill;
  if (evidence === undefined) return "unread";
  const { digest } = evidence.signature;
  return digest === undefined ? "none" : `${digest}${markOf(skill)}`;
}

/** Each skill as the policy sees it that thinks least of its signature: every verdict is about the same skills. */
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

/** What was found, as one item. */
const causeOf = ({ policy, skill, finding }: FindingContext): string =>
  `${name(policy)}: ${name(skill)}: ${finding.code} ${phrase(findingText(finding).slice(finding.code.length + 1))}`;

/** Why a review failed, as the one item of `causes`. */
export const errorCause = (code: string, message: string): string => `${code} ${phrase(message)}`;

/**
 * Kept in the API server's audit log, also for what was admitted: by which policies it was judged and with what result,
 * which bytes it was about, who signed them, and everything that was found. What the values look like:
 * docs/configuration.md.
 */
export function auditAnnotations(
  outcome: string,
  id: string,
  verdicts: readonly Verdict[],
): Readonly<Record<string, string>> {
  const skills = worst(verdicts);
  const told: readonly FindingContext[] = verdicts.flatMap(({ policy, skills: judged }) =>
    judged.flatMap(({ reference, findings }) =>
      findings.map((finding) => ({ policy, skill: reference.name, finding })),
    ),
  );
  const lists = {
    policies: listed(verdicts, {
      text: ({ policy, mode, outcome: said }) => `${name(policy)}=${mode}:${said}`,
      separator: ",",
      limit: 1000,
    }),
    skills: listed(skills, {
      text: (skill) => `${name(skill.reference.name)}@${digestOf(skill)}`,
      separator: ",",
      limit: 2000,
    }),
    signers: listed(skills, {
      text: (skill) => `${name(skill.reference.name)}=${signerOf(skill)}`,
      separator: "; ",
      limit: 2000,
    }),
    findings: [...new Set(told.map(({ finding }) => finding.code))].join(","),
    causes: listed(told, { text: causeOf, separator: "; ", limit: 4000 }),
  };
  return {
    decision: `${outcome} ${printable(id, 16)}`,
    ...Object.fromEntries(Object.entries(lists).filter(([, value]) => value !== "")),
  };
}
