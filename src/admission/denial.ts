import type { Finding, SkillResult, Verdict } from "../policy/finding.ts";
import { remedyFor } from "../policy/remedy.ts";
import type { Signer } from "../signature/signature-evidence.ts";
import { shortDigest } from "../skill/digest.ts";
import type { SkillReference } from "../skill/reference.ts";
import { printable } from "../text/printable.ts";
import type { ReviewSubject } from "./decision.ts";

/** Longest denial in UTF-8 bytes: events and terminals cut longer ones off, and then the remedy is lost. */
const maxBytes = 2048;

/** Findings of one skill and skills of one policy that are spelt out before "and N more". */
const maxFindings = 6;
const maxSkills = 5;

/** Does a finding count against the skill, rather than only being told. */
export const blocks = (finding: Finding): boolean => !finding.tolerated;

/** `Pod payments/etl`, `ConfigMap payments/skills-etl`. */
export const subjectText = ({ kind, namespace, name }: ReviewSubject): string =>
  printable(`${kind} ${namespace === "" ? name : `${namespace}/${name}`}`);

/** The facts of one finding on one line, with its code. */
export function findingText(finding: Finding, width = 0): string {
  const where = finding.path === undefined ? "" : printable(finding.path, 120);
  const digests =
    finding.signed !== undefined && finding.found !== undefined
      ? `signed ${shortDigest(finding.signed)}, found ${shortDigest(finding.found)}`
      : undefined;
  const isPlain =
    finding.code.startsWith("FILE_") && finding.remedy === undefined && finding.by === undefined;
  const what = digests ?? (where !== "" && isPlain ? "" : printable(finding.message, 300));
  const text = [where, what].filter((part) => part !== "").join(": ");
  const by = finding.by === undefined || digests === undefined ? "" : ` (by ${printable(finding.by, 120)})`;
  return `${finding.code.padEnd(width)} ${text}${by}`;
}

/** Where a skill comes in: `ConfigMap skills-etl at /skills/data-designer`. */
function referenceText(reference: SkillReference): string {
  // A projected volume is known to users by what it projects.
  const sources = reference.sources.map(
    ({ kind, name }) => `${kind === "Projected" ? "projected" : kind} ${name}`,
  );
  const shown = sources.length > 2 ? [...sources.slice(0, 2), `${sources.length - 2} more`] : sources;
  const pod = reference.mountedBy === undefined ? "" : `, mounted by Pod ${reference.mountedBy}`;
  return printable(`${shown.join(" + ")} at ${reference.path}${pod}`, 300);
}

/** Who signed, and whether the files are still what was signed. */
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
 * The shortest name of a signer that is still unmistakable to its operators. What another policy calls a key is not
 * for the readers of this one; what this one calls it, they know.
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

function skillLines(result: SkillResult, policy: string): readonly string[] {
  const findings = result.findings.filter(blocks);
  const width = Math.max(...findings.map(({ code }) => code.length));
  const shown = findings.slice(0, maxFindings).map((finding) => `  ${findingText(finding, width)}`);
  const more = findings.length - shown.length;
  return [
    `- ${printable(result.reference.name, 80)} (${referenceText(result.reference)})${signatureText(result, policy)}`,
    ...shown,
    ...(more > 0 ? [`  and ${more} more`] : []),
    `  fix: ${remedyFor(findings)}`,
  ];
}

function policyLines(verdict: Verdict, subject: ReviewSubject): readonly string[] {
  const failed = verdict.skills.filter(({ findings }) => findings.some(blocks));
  const total = verdict.skills.length;
  const shown = failed.slice(0, maxSkills);
  return [
    `policy ${printable(JSON.stringify(verdict.policy))} denied ${subjectText(subject)}: ${failed.length} of ${total} skill${total === 1 ? "" : "s"} failed`,
    ...shown.flatMap((result) => skillLines(result, verdict.policy)),
    ...(failed.length > shown.length ? [`and ${failed.length - shown.length} more skills`] : []),
  ];
}

/**
 * The text of a denial: the first line says what happened, each failed skill what differs and what to do, the last
 * line the decision's name in logs. At most `limit` bytes; what does not fit is counted, never silently dropped.
 */
export function denialText(
  denying: readonly Verdict[],
  subject: ReviewSubject,
  id: string,
  limit = maxBytes,
): string {
  const lines = denying.flatMap((verdict) => policyLines(verdict, subject));
  const last = `decision ${printable(id, 16)}`;
  let size = Buffer.byteLength(last) + 40;
  const fitting: string[] = [];
  for (const line of lines) {
    size += Buffer.byteLength(line) + 1;
    if (size > limit) break;
    fitting.push(line);
  }
  const left = lines.length - fitting.length;
  return [...fitting, ...(left > 0 ? [`and ${left} more lines in the log`] : []), last].join("\n");
}
