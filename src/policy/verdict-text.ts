import type { Signer } from "../signature/signature-evidence.ts";
import { shortDigest } from "../skill/digest.ts";
import type { SkillReference, SourceUse } from "../skill/reference.ts";
import { printable } from "../text/printable.ts";
import { shortWords, withoutMiddle } from "../text/short-words.ts";
import { aboutSkills, failureCount } from "./failure-count.ts";
import { blocks, maxRecorded, type Finding, type SkillResult, type Verdict } from "./finding.ts";
import { remedyFor, remedyUnderPods } from "./remedy.ts";

/** Findings of one skill or place, and skills and places of one policy, that are listed before "and N more". */
const maxFindings = 6;
const maxShown = 5;

const shortPath = (path: string): string => withoutMiddle(printable(path, Infinity), 120);

/** One finding on one line, with its code. */
export function findingText(finding: Finding, width = 0): string {
  const where = finding.path === undefined ? "" : shortPath(finding.path);
  const digests =
    finding.signed !== undefined && finding.found !== undefined
      ? `signed ${shortDigest(finding.signed)}, found ${shortDigest(finding.found)}`
      : undefined;
  const isPlain =
    finding.code.startsWith("FILE_") && finding.remedy === undefined && finding.by === undefined;
  const what = digests ?? (where !== "" && isPlain ? "" : shortWords(finding.message, 300));
  // Some faults of a signature file begin with its name; no other word has a dot in it.
  const isNamed = where.includes(".") && what.startsWith(`${where} `);
  const text = [isNamed ? "" : where, what].filter((part) => part !== "").join(": ");
  const by = finding.by === undefined || digests === undefined ? "" : ` (by ${shortPath(finding.by)})`;
  return `${finding.code.padEnd(width)} ${text}${by}`;
}

function sourceText({ kind, name }: SourceUse): string {
  // Lower case marks a projected volume: users know it by the objects in it, not by a kind of its own.
  if (kind === "Projected") return `projected ${name}`;
  // Fields have dots, names of volumes none.
  if (kind === "Other") return name.includes(".") ? name : `volume ${name}`;
  return `${kind} ${name}`;
}

/** Names sources and path of a skill: `ConfigMap skills-etl at /skills/data-designer`. */
function referenceText(reference: SkillReference): string {
  const sources = reference.sources.map(sourceText);
  const shown = sources.length > 2 ? [...sources.slice(0, 2), `${sources.length - 2} more`] : sources;
  const pod = reference.mountedBy === undefined ? "" : `, mounted by Pod ${reference.mountedBy}`;
  const change =
    reference.expectedChange === undefined
      ? ""
      : `, as the change of ConfigMap ${reference.expectedChange} that is on its way makes it`;
  const place = reference.path === "" ? "" : ` at ${reference.path}`;
  return shortWords(`${shown.join(" + ")}${place}${seenIn(reference)}${pod}${change}`, 300);
}

/** The containers that a fault is about: whoever mends it looks for them first. */
function seenIn({ containers, content }: SkillReference): string {
  if (content.state === "resolved" || containers.length === 0) return "";
  const shown = containers.slice(0, 3).map((name) => JSON.stringify(name));
  return ` in ${[...shown, ...(containers.length > 3 ? [`${containers.length - 3} more`] : [])].join(", ")}`;
}

/** Names the signer, and says whether the files still match. */
function signatureText({ evidence }: SkillResult, policy: string): string {
  if (evidence === undefined) return "";
  const { signature } = evidence;
  if (signature.outcome === "unsigned") return ": not signed";
  const signer = signature.signer === undefined ? undefined : signerText(signature.signer, policy);
  if (signature.outcome === "signed") return `: signed by ${signer ?? ""}`;
  if (signature.outcome === "tampered") return `: signed by ${signer ?? ""}, changed since`;
  return signer === undefined ? "" : `: signature by ${signer} proves nothing here`;
}

/**
 * The shortest unambiguous name of a signer. A name that another policy gave a key is left out: readers of this policy
 * do not know it. A name of this policy's own loses its prefix.
 */
function signerText(signer: Signer, policy: string): string {
  if (signer.kind === "key") {
    const own = `ClusterSkillPolicy/${policy}/`;
    const [name] = signer.names.flatMap((each) => {
      if (each.startsWith(own)) return [each.slice(own.length)];
      return each.startsWith("ClusterSkillPolicy/") ? [] : [each];
    });
    const key = `key ${signer.publicKey.slice(0, 16)}…`;
    return name === undefined ? key : printable(`${name} (${key})`, 200);
  }
  if (signer.kind === "keyless") return printable(`${signer.identity} (${signer.issuer})`, 200);
  if (signer.kind === "registry")
    return printable(`${signer.hint} (key ${signer.publicKey.slice(0, 16)}…)`, 200);
  return printable(/CN=[^,]*/.exec(signer.subject)?.[0] ?? signer.subject, 160);
}

function resultLines(result: SkillResult, policy: string): readonly string[] {
  const findings = result.findings.filter(blocks);
  const width = Math.max(...findings.map(({ code }) => code.length));
  const shown = findings.slice(0, maxFindings).map((finding) => `  ${findingText(finding, width)}`);
  const more = findings.length - shown.length;
  return [
    `- ${printable(result.reference.name, 80)} (${referenceText(result.reference)})${signatureText(result, policy)}`,
    ...shown,
    ...(more > 0 ? [`  and ${more} more`] : []),
    `  fix: ${(result.reference.mountedBy === undefined ? remedyFor : remedyUnderPods)(findings)}`,
  ];
}

/** The first finding, and how many others there are: tables of Events show one line, and no more. */
function firstCause(results: readonly SkillResult[], failed: readonly SkillResult[]): string {
  const isAboutSkill = aboutSkills(results);
  const causes = failed.flatMap(({ reference, findings }) => {
    const about = isAboutSkill(reference) ? shortWords(reference.name, 80) : shortPath(reference.path);
    return findings
      .filter(blocks)
      .map(({ code, path = "" }) => [about, code, shortPath(path)].filter((part) => part !== "").join(" "));
  });
  const [first, ...others] = new Set(causes);
  if (first === undefined) return "";
  return `: ${first}${others.length === 0 ? "" : `, and ${others.length} more`}`;
}

/** What of an object fails a policy, as lines for people. */
export function failures(verdict: Verdict): {
  /** `1 of 3 skills failed: etl DIGEST_MISMATCH scripts/run.sh, and 2 more`. */
  readonly summary: string;
  readonly lines: readonly string[];
} {
  const failed = verdict.skills.filter(({ findings }) => findings.some(blocks));
  const shown = failed.slice(0, maxShown);
  return {
    summary: `${failureCount(verdict.skills, failed)}${firstCause(verdict.skills, failed)}`,
    lines: [
      ...shown.flatMap((result) => resultLines(result, verdict.policy)),
      ...(failed.length > shown.length ? [`and ${failed.length - shown.length} more of them`] : []),
    ],
  };
}

/** The line in at most that many bytes. */
function inBytes(line: string, limit: number): string {
  let short = line;
  for (let most = Math.max(limit, 1); most > 0 && Buffer.byteLength(short) > limit; most -= 20)
    short = shortWords(line, most);
  return short;
}

/**
 * As many of the lines as fit into that many bytes with the last one, and how many were left out. The first is never
 * left out: it has the reason.
 */
export function fitting([first = "", ...others]: readonly string[], last: string, limit: number): string {
  const counted = (left: number): string =>
    `and ${left} more lines; the log has up to ${maxRecorded} findings`;
  let size = Buffer.byteLength(last) + Buffer.byteLength(counted(others.length + 1)) + 1;
  const lines = [inBytes(first, limit - size - 1), ...others];
  const shown: string[] = [];
  for (const line of lines) {
    size += Buffer.byteLength(line) + 1;
    if (size > limit) break;
    shown.push(line);
  }
  const left = lines.length - shown.length;
  return [...shown, ...(left > 0 ? [counted(left)] : []), last].join("\n");
}
