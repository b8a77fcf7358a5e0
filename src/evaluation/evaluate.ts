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
import { readPodSpec, type PodSpec } from "../workload/pod/pod-spec.ts";
import type { PodSubject, WalkedPod } from "../workload/pod/pod-subject.ts";
import type { ReadObjects } from "../workload/pod/volume-view.ts";
import { walkKey } from "../workload/walk-key.ts";
import type { ClusterView } from "./cluster-view.ts";
import { yieldToEventLoop } from "./yield-to-event-loop.ts";
import { podFaults } from "./pod-faults.ts";
import { readObjects } from "./read-objects.ts";
import { RememberedWalks } from "./remembered-walks.ts";
import { verdictsOn, type AssessedSkill, type JudgedObject } from "./verdicts-on.ts";

/** Dependencies of a review. */
export interface ReviewDeps {
  readonly cluster: ClusterView;
  readonly source: SkillSource;
  readonly policies: PolicyIndex;
  readonly evidence: EvidenceCache;
  /** Absent: every pod is walked anew. */
  readonly walks?: RememberedWalks;
  /** Runs `work` and returns its result, for metrics. Called for each skill without cached evidence. */
  readonly measure: (skill: Skill, work: () => Evidence) => Evidence;
}

/** Dependencies, time and deadline of one review. */
export interface ReviewContext {
  readonly deps: ReviewDeps;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly signal: AbortSignal;
}

/** Policies that apply to a namespace, with the trust that they were resolved against. */
export interface EffectivePolicies {
  readonly policies: readonly Policy[];
  readonly trust: TrustMaterial;
}

/**
 * Selects the policies that apply to a namespace.
 * @throws SourceError if the namespace cannot be looked up: "unknown" must never mean "no policies" (CVE-2025-46342)
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

/**
 * Skill roots of all policies of a namespace: they apply together, for whether a folder is a skill does not depend on
 * the policy.
 */
export const rootsOf = (policies: readonly Policy[]): readonly string[] => [
  ...new Set(policies.flatMap((policy) => policy.skillRoots)),
];

/**
 * Finds the skills that a pod mounts, with their bytes and digests, and what of the pod breaks demands of the policies.
 * @throws SourceError LIMIT_EXCEEDED or TIMEOUT
 */
export async function skillsOf(
  pod: PodSubject,
  policies: readonly Policy[],
  context: ReviewContext,
): Promise<readonly SkillReference[]> {
  const extraRoots = rootsOf(policies);
  const { spec, objects, skills } = await walk(pod, extraRoots, context);
  const faults = podFaults({ pod, spec, extraRoots, objects, skills }, policies);
  return faults.length === 0 ? skills : [...skills, ...faults];
}

interface Walked {
  /** Parses the pod, once. */
  readonly spec: () => PodSpec;
  readonly objects: ReadObjects;
  readonly skills: readonly SkillReference[];
}

/** Reads the objects that a pod mounts, and finds the skills among them, or remembers which these were. */
async function walk(pod: WalkedPod, extraRoots: readonly string[], context: ReviewContext): Promise<Walked> {
  const { walks = new RememberedWalks(), source } = context.deps;
  let parsed: PodSpec | undefined;
  const spec = (): PodSpec => (parsed ??= readPodSpec(pod));
  const key = walkKey(pod, extraRoots);
  const known = walks.get(key);
  const requests = known?.requests ?? objectsToRead(spec(), extraRoots);
  const objects = await readObjects(requests, source, context.signal);
  const remembered = known && walks.skillsAmong(known, objects);
  if (remembered !== undefined) return { spec, objects, skills: remembered };
  const skills = findSkills(spec(), extraRoots, objects);
  for (const { content } of skills) {
    if (content.state === "resolved")
      await digestFiles(content.skill, () => yieldToEventLoop(context.signal));
  }
  walks.remember(key, { requests, objects, skills });
  return { spec, objects, skills };
}

/** Result for one object: its skills with their evidence, and the verdict of each policy. */
export interface Evaluation {
  readonly skills: readonly AssessedSkill[];
  readonly verdicts: readonly Verdict[];
  /** Version of the trust that the evidence rests on. */
  readonly trust: string;
}

/**
 * Assesses each skill and judges it by each policy, for reviews and for the command line alike. Yields to other
 * reviews after each skill that is verified anew: a pod may mount hundreds.
 * @throws SourceError TIMEOUT if the signal aborts before the end
 */
export async function evaluate(
  references: readonly SkillReference[],
  { policies, trust }: EffectivePolicies,
  subject: JudgedObject,
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
  const verdicts = verdictsOn(skills, policies, subject, context.now);
  return { skills, verdicts, trust: trust.version };
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
