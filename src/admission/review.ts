import type { SkillReference } from "../skill/reference.ts";
import { SourceError } from "../skill/source-error.ts";
import type { VolumeObject, VolumeObjectRef, VolumeObjectRequest } from "../skill/source.ts";
import { podOf } from "../workload/carriers/pod-of.ts";
import type { KubernetesObject } from "../kubernetes/object.ts";
import { joinedRequest, objectsToRead } from "../workload/objects-to-read.ts";
import type { PodSubject } from "../workload/pod/pod-subject.ts";
import { sameSkillInputs } from "../workload/carriers/unchanged.ts";
import { decodeVolumeObject } from "../kubernetes/volume-object.ts";
import type { Verdict } from "../policy/finding.ts";
import type { AdmissionRequest } from "./admission-request.ts";
import { changedSkills, fingerprint, readOnce } from "./changed-skills.ts";
import type { Bypass, Decision } from "./decision.ts";
import {
  effectivePolicies,
  evaluate,
  rootsOf,
  skillsOf,
  type Evaluation,
  type EffectivePolicies,
  type ReviewContext,
} from "../evaluation/evaluate.ts";
import { giveWay } from "../evaluation/give-way.ts";

/** A decision's short name in messages, logs and the API server's audit log: the start of the review's uid. */
export const decisionId = (uid: string): string => uid.slice(0, 8);

/**
 * Decides one request. Every way to an allow either judged the skills or names the rule that let it through.
 * @throws SourceError where the cluster could not be asked; whoever calls turns that into a denial
 */
export async function review(request: AdmissionRequest, context: ReviewContext): Promise<Decision> {
  const { operation } = request.subject;
  if (operation !== "CREATE" && operation !== "UPDATE") return bypass(request, "operation");
  if (request.object === undefined) throw new SourceError("SOURCE_MALFORMED", "request.object is missing");
  return request.resource === "configmaps"
    ? reviewConfigMap(request, request.object, context)
    : reviewPodCarrier(request, request.object, context);
}

const bypass = ({ subject }: AdmissionRequest, reason: Bypass): Decision => ({
  outcome: "allow",
  id: decisionId(subject.uid),
  subject,
  bypass: reason,
});

function decide({ subject }: AdmissionRequest, { verdicts }: Evaluation): Decision {
  const has = (outcome: Verdict["outcome"]): boolean =>
    verdicts.some((verdict) => verdict.outcome === outcome);
  const outcome = has("deny") ? "deny" : has("warn") ? "warn" : "allow";
  return { outcome, id: decisionId(subject.uid), subject, verdicts };
}

/** Pods, and everything that makes pods. */
async function reviewPodCarrier(
  request: AdmissionRequest,
  object: KubernetesObject,
  context: ReviewContext,
): Promise<Decision> {
  const pod = podOf(object, request.subject.namespace);
  if (pod === undefined) return bypass(request, "not-a-carrier");
  if (request.oldObject !== undefined && sameSkillInputs(request.oldObject, object)) {
    return bypass(request, "unchanged");
  }
  const effective = await effectivePolicies(pod.namespace, context);
  if (effective.policies.length === 0) return bypass(request, "ungoverned");
  // Before anything is read: what changes from now on is reviewed as a change under this pod.
  const forget = pod.isPod ? expectNewPod(request, object, context) : undefined;
  let admitted = false;
  try {
    const references = await skillsBroughtIn(request, pod, effective, context);
    const decision =
      references.length === 0
        ? bypass(request, "no-skills")
        : decide(request, await evaluate(references, effective, pod, context));
    admitted = decision.outcome !== "deny";
    return decision;
  } finally {
    if (!admitted) forget?.();
  }
}

const expectNewPod = (
  { subject }: AdmissionRequest,
  object: KubernetesObject,
  { deps }: ReviewContext,
): (() => void) | undefined =>
  subject.operation === "CREATE" && !subject.dryRun
    ? deps.cluster.expectPod?.(object, subject.namespace)
    : undefined;

/**
 * The skills that a request brings in. A debugging container is added to a pod that runs: of that pod's skills only
 * those are judged that are other ones with it, or that it sees itself. The rest is as it was, and debugging a pod must
 * stay possible when its skill is broken.
 */
async function skillsBroughtIn(
  { subject, oldObject }: AdmissionRequest,
  pod: PodSubject,
  { policies }: EffectivePolicies,
  context: ReviewContext,
): Promise<readonly SkillReference[]> {
  const before = oldObject === undefined ? undefined : podOf(oldObject, pod.namespace);
  if (subject.resource !== "pods/ephemeralcontainers" || before === undefined) {
    return skillsOf(pod, policies, context);
  }
  const source = readOnce(context.deps.source);
  const once = { ...context, deps: { ...context.deps, source } };
  const known = new Set((await skillsOf(before, policies, once)).map(fingerprint));
  return (await skillsOf(pod, policies, once)).filter((skill) => !known.has(fingerprint(skill)));
}

/** A ConfigMap that running pods mount: each of them is looked at as it would be with the new content. */
async function reviewConfigMap(
  request: AdmissionRequest,
  object: KubernetesObject,
  context: ReviewContext,
): Promise<Decision> {
  const ref: VolumeObjectRef = {
    kind: "ConfigMap",
    namespace: request.subject.namespace,
    name: request.subject.name,
  };
  const pods = context.deps.cluster.podsUsing(ref);
  if (pods.length === 0) return bypass(request, "unused");
  const effective = await effectivePolicies(ref.namespace, context);
  if (effective.policies.length === 0) return bypass(request, "ungoverned");
  const distinct = distinctPods(pods);
  const asked = await askedOf(ref, distinct, rootsOf(effective.policies), context.signal);
  if (asked === undefined) return bypass(request, "no-skills");
  const before = request.oldObject === undefined ? undefined : decodeVolumeObject(request.oldObject, asked);
  const after = decodeVolumeObject(object, asked);
  if (before !== undefined && isSameObject(before, after)) return bypass(request, "unchanged");
  const changed: SkillReference[] = [];
  for (const pod of distinct) {
    changed.push(...(await changedSkills(pod, { ref, before, after }, effective, context)));
    await giveWay(context.signal);
  }
  if (changed.length === 0) return bypass(request, "no-skills");
  return decide(request, await evaluate(changed, effective, { isPod: true }, context));
}

/** What of an object these pods would have read, in one request; undefined where none reads it. */
async function askedOf(
  ref: VolumeObjectRef,
  pods: readonly PodSubject[],
  roots: readonly string[],
  signal: AbortSignal,
): Promise<VolumeObjectRequest | undefined> {
  let asked: VolumeObjectRequest | undefined;
  for (const pod of pods) {
    const own = objectsToRead(pod, roots).filter(({ kind, name }) => kind === ref.kind && name === ref.name);
    asked = own.reduce(joinedRequest, asked);
    await giveWay(signal);
  }
  return asked;
}

/** Is everything as it was that comes into pods: of a change of labels, lock annotations or finalizers nothing does. */
const isSameObject = (before: VolumeObject, after: VolumeObject): boolean =>
  before.immutable === after.immutable &&
  before.files.size === after.files.size &&
  after.files.entries().every(([key, { bytes }]) => {
    const other = before.files.get(key)?.bytes;
    return other !== undefined && Buffer.compare(bytes, other) === 0;
  });

/** Replicas of one template see the same files: one of them stands for all. */
function distinctPods(pods: readonly PodSubject[]): readonly PodSubject[] {
  const seen = new Map<string, PodSubject>();
  for (const pod of pods) {
    const { volumes, containers, initContainers, ephemeralContainers } = pod.spec;
    const files = JSON.stringify([volumes, containers, initContainers, ephemeralContainers]);
    // Paths may hold the pod's own name, by subPathExpr or through variables: then no two pods are alike.
    const own = /"(?:subPathExpr|fieldRef)"/.test(files);
    const key = own ? `${pod.name} ${files}` : files;
    if (!seen.has(key)) seen.set(key, pod);
  }
  return [...seen.values()];
}
