import { assess } from "./assess.ts";
import type { EvidenceCache } from "../evidence/evidence-cache.ts";
import type { Evidence } from "../evidence/evidence.ts";
import type { Verdict } from "../policy/finding.ts";
import type { Policy, PolicyIndex } from "../policy/policy.ts";
import type { TrustMaterial } from "../signature/trust-material.ts";
import type { SkillReference } from "../skill/reference.ts";
import type { SkillSource } from "../skill/source.ts";
import { digestFiles, type Skill } from "../skill/skill.ts";
import { findSkills } from "../workload/find-skills.ts";
import { objectsToRead } from "../workload/objects-to-read.ts";
import { readPodSpec } from "../workload/pod/pod-spec.ts";
import type { PodSubject } from "../workload/pod/pod-subject.ts";
import type { ClusterView } from "./cluster-view.ts";
import { yieldToEventLoop } from "./yield-to-event-loop.ts";
import { readObjects } from "./read-objects.ts";
import { verdictsOn, type AssessedSkill } from "./verdicts-on.ts";

/** Everything that a review needs from outside. */
export interface ReviewDeps {
  readonly cluster: ClusterView;
  readonly source: SkillSource;
  readonly policies: PolicyIndex;
  readonly evidence: EvidenceCache;
  /** Told of each skill whose evidence had to be established anew; for metrics. Runs `work` and returns its result. */
  readonly measure: (skill: Skill, work: () => Evidence) => Evidence;
}

/** The state of the world that one review is decided by. */
export interface ReviewContext {
  readonly deps: ReviewDeps;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly signal: AbortSignal;
}

/** Policies in force for a namespace, with the trust they were resolved against. */
export interface EffectivePolicies {
  readonly policies: readonly Policy[];
  readonly trust: TrustMaterial;
}

/**
 * The policies that govern a namespace.
 * @throws SourceError where the namespace cannot be looked up (CVE-2025-46342: that must never mean "none")
 */
export async function effectivePolicies(
  namespace: string,
  context: ReviewContext,
): Promise<EffectivePolicies> {
  const { policies, trust } = context.deps.policies.current();
  if (policies.length === 0) return { policies, trust };
  const labels = await context.deps.cluster.namespaceLabels(namespace, context.signal);
  return { policies: policies.filter((policy) => policy.appliesTo(namespace, labels)), trust };
}

/** What counts as a skill folder is one question for the whole namespace, so the roots of all its policies apply together. */
export const rootsOf = (policies: readonly Policy[]): readonly string[] => [
  ...new Set(policies.flatMap((policy) => policy.skillRoots)),
];

/** Finds the skills that a pod would bring in, with their bytes and the digests of these. */
export async function skillsOf(
  pod: PodSubject,
  policies: readonly Policy[],
  context: ReviewContext,
): Promise<readonly SkillReference[]> {
  const spec = readPodSpec(pod);
  const roots = rootsOf(policies);
  const objects = await readObjects(objectsToRead(spec, roots), context.deps.source, context.signal);
  const skills = findSkills(spec, roots, objects);
  for (const { content } of skills) {
    if (content.state === "resolved")
      await digestFiles(content.skill, () => yieldToEventLoop(context.signal));
  }
  return skills;
}

/** What came of evaluating one object: its skills with their evidence, and what each policy says of them. */
export interface Evaluation {
  readonly skills: readonly AssessedSkill[];
  readonly verdicts: readonly Verdict[];
}

/**
 * Establishes the evidence about each skill and holds it against each policy, for reviews and for the command line alike.
 * Between two skills that had to be verified anew, other reviews get their turn: a pod may bring in hundreds.
 * @throws SourceError TIMEOUT where the signal aborts before the end
 */
export async function evaluate(
  references: readonly SkillReference[],
  { policies, trust }: EffectivePolicies,
  subject: { readonly isPod: boolean },
  context: ReviewContext,
): Promise<Evaluation> {
  const skills: AssessedSkill[] = [];
  let verified = 0;
  for (const reference of references) {
    const before = verified;
    const evidence = evidenceOf(reference, trust, context, () => (verified += 1));
    skills.push({ reference, evidence });
    if (verified > before) await yieldToEventLoop(context.signal);
  }
  return { skills, verdicts: verdictsOn(skills, policies, subject, context.now) };
}

function evidenceOf(
  reference: SkillReference,
  trust: TrustMaterial,
  { deps, now }: ReviewContext,
  onVerify: () => void,
): Evidence | undefined {
  if (reference.content.state !== "resolved") return undefined;
  const subject = reference.content;
  return deps.evidence.get(subject, trust, now, () => {
    onVerify();
    return deps.measure(subject.skill, () => assess(subject, trust, now));
  });
}
