import type { Decision, ReviewSubject } from "../admission/decision.ts";
import { blocks, maxRecorded, type Finding, type SkillResult, type Verdict } from "../policy/finding.ts";
import type { SignatureEvidence, Signer } from "../signature/signature-evidence.ts";
import { defined } from "../text/fields.ts";
import { timeText } from "../text/time.ts";
import { errorFields, short } from "./bounded.ts";

/** Facts of a decision; docs/records.md describes each field. */
type Fields = Readonly<Record<string, unknown>>;

/** List entries of a record; skills and findings count over the whole of it. */
const limits = { policies: 20, skills: 40, sources: 8, owners: 8 } as const;

/** Milliseconds from which a review is slow: whoever causes such ones can hold up everybody's, so each is logged. */
const slowFrom = 1000;

export const isSlow = (milliseconds: number): boolean => milliseconds >= slowFrom;

const timeOf = (milliseconds: number | undefined): string | undefined =>
  milliseconds !== undefined && Math.abs(milliseconds) <= 8.64e15
    ? new Date(milliseconds).toISOString()
    : undefined;

function signerFields(signer: Signer): Fields {
  const { kind, publicKey } = signer;
  switch (signer.kind) {
    case "key":
      return { kind, publicKey, names: signer.names.slice(0, limits.sources).map(short) };
    case "certificate":
      return { kind, subject: short(signer.subject), fingerprint: signer.fingerprint, publicKey };
    case "keyless":
      return {
        kind,
        identity: short(signer.identity),
        issuer: short(signer.issuer),
        fingerprint: signer.fingerprint,
        publicKey,
        ...defined({ signedAt: timeOf(signer.signedAt) }),
      };
    case "registry":
      return { kind, hint: short(signer.hint), publicKey, ...defined({ signedAt: timeOf(signer.signedAt) }) };
  }
}

const signatureFields = (signature: SignatureEvidence): Fields => ({
  ...defined({ digest: signature.digest }),
  signature: signature.outcome,
  ...(signature.outcome === "unsigned" ? {} : { format: signature.format }),
  ...(signature.outcome === "unsigned" || signature.signer === undefined
    ? {}
    : { signer: signerFields(signature.signer) }),
});

const findingFields = ({ code, message, path, tolerated }: Finding): Fields => ({
  code,
  message: short(message),
  ...(path === undefined ? {} : { path: short(path) }),
  ...(tolerated ? { tolerated } : {}),
});

/** Entries that the record still has room for. */
interface Room {
  skills: number;
  findings: number;
}

/** Takes the first entries, as far as there is room. */
function taken<T>(entries: readonly T[], room: Room, kind: keyof Room): readonly T[] {
  const first = entries.slice(0, room[kind]);
  room[kind] -= first.length;
  return first;
}

function skillFields({ reference, evidence, findings, ends }: SkillResult, room: Room): Fields {
  const told = taken(findings, room, "findings");
  return {
    name: short(reference.name),
    path: short(reference.path),
    sources: reference.sources.slice(0, limits.sources).map(({ kind, name }) => `${kind} ${short(name)}`),
    ...(evidence === undefined ? {} : signatureFields(evidence.signature)),
    ...(evidence?.others === undefined
      ? {}
      : { otherSignatures: evidence.others.slice(0, limits.sources).map(({ outcome }) => outcome) }),
    ...(reference.mountedBy === undefined ? {} : { mountedBy: short(reference.mountedBy) }),
    findings: told.map(findingFields),
    ...(findings.length > told.length ? { findingsTotal: findings.length } : {}),
    ...(ends === undefined ? {} : { acceptedUntil: timeText(ends.at) }),
  };
}

/** True where the policy admits only because its mode, or the object's kind, does not deny. */
const wouldDeny = ({ outcome, skills }: Verdict): boolean =>
  outcome !== "deny" && skills.some(({ findings }) => findings.some(blocks));

function verdictFields(verdict: Verdict, room: Room): Fields {
  const { policy, generation, tenant, mode, outcome, skills } = verdict;
  const told = taken(skills, room, "skills");
  return {
    policy: short(policy),
    ...defined({ generation }),
    tenant: short(tenant),
    mode,
    outcome,
    ...(wouldDeny(verdict) ? { wouldDeny: true } : {}),
    skills: told.map((skill) => skillFields(skill, room)),
    ...(skills.length > told.length ? { skillsTotal: skills.length } : {}),
  };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

/** How much a skill says: what denies, then what is only reported, then what is fine. */
const weightOf = ({ findings }: SkillResult): number =>
  findings.some(blocks) ? 2 : findings.length > 0 ? 1 : 0;

const heaviest = ({ outcome, skills }: Verdict): number =>
  (outcome === "deny" ? 3 : 0) + skills.reduce((most, skill) => Math.max(most, weightOf(skill)), 0);

/** What says most first: what is left out at the end then says least. */
const byWeight = (verdicts: readonly Verdict[]): readonly Verdict[] =>
  verdicts
    .map((verdict) => ({
      ...verdict,
      skills: verdict.skills.toSorted((left, right) => weightOf(right) - weightOf(left)),
    }))
    .toSorted((left, right) => heaviest(right) - heaviest(left));

function verdictsFields(verdicts: readonly Verdict[]): Fields {
  const skills = sum(verdicts.map((verdict) => verdict.skills.length));
  const findings = sum(verdicts.flatMap((verdict) => verdict.skills.map((skill) => skill.findings.length)));
  const fits = verdicts.length <= limits.policies && skills <= limits.skills && findings <= maxRecorded;
  const room: Room = { skills: limits.skills, findings: maxRecorded };
  const told = fits ? verdicts : byWeight(verdicts).slice(0, limits.policies);
  const fields = told.map((verdict) => verdictFields(verdict, room));
  const findingsLeftOut = findings - (maxRecorded - room.findings);
  return {
    verdicts: fields,
    ...(verdicts.length > told.length ? { verdictsTotal: verdicts.length } : {}),
    ...(findingsLeftOut > 0 ? { findingsLeftOut } : {}),
  };
}

function ownerFields(owners: ReviewSubject["owners"]): Fields {
  if (owners === undefined) return {};
  const told = owners.slice(0, limits.owners);
  return {
    owners: told.map(({ apiVersion, kind, name, uid }) => ({
      apiVersion: short(apiVersion),
      kind: short(kind),
      name: short(name),
      ...(uid === undefined ? {} : { uid: short(uid) }),
    })),
    ...(owners.length > told.length ? { ownersTotal: owners.length } : {}),
  };
}

/** The record of one decision: who wanted what, by which version of which policy it was judged, and what was found. */
export function decisionFields(decision: Decision, milliseconds: number, client: string): Fields {
  const { id, outcome, subject } = decision;
  const base = {
    decision: outcome,
    id: short(id),
    uid: short(subject.uid),
    kind: short(subject.kind),
    resource: short(subject.resource),
    operation: subject.operation,
    namespace: short(subject.namespace),
    name: short(subject.name),
    ...ownerFields(subject.owners),
    user: short(subject.user),
    client: short(client),
    dryRun: subject.dryRun,
    durationMs: Math.round(milliseconds * 1000) / 1000,
    ...(isSlow(milliseconds) ? { slow: true } : {}),
  };
  if ("bypass" in decision) return { ...base, bypass: decision.bypass };
  if (decision.outcome === "error") {
    const { code, message, cause, letInBy } = decision;
    return {
      ...base,
      ...defined({ letInBy }),
      code,
      message: short(message),
      ...(cause === undefined ? {} : { error: errorFields(cause) }),
    };
  }
  return { ...base, trust: decision.trust, ...verdictsFields(decision.verdicts) };
}
