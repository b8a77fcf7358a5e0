import { evaluate, skillsOf, type EffectivePolicies, type ReviewContext } from "../../evaluation/evaluate.ts";
import type { ExpectedChange } from "../../evaluation/cluster-view.ts";
import { presetNode } from "../../evaluation/preset-node.ts";
import { readOnce } from "../../evaluation/source-overlay.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import type { SkillReference } from "../../skill/reference.ts";
import { podOf } from "../../workload/carriers/pod-of.ts";
import { sameSkillInputs } from "../../workload/carriers/unchanged.ts";
import { afterUpdate } from "../../workload/pod/earlier-images.ts";
import type { PodSubject } from "../../workload/pod/pod-subject.ts";
import type { AdmissionRequest } from "../admission-request.ts";
import { fingerprints } from "../versions/changed-skills.ts";
import { noting, withOlderVersions } from "./older-versions.ts";
import { changesToCome, skillsToCome } from "../versions/skills-to-come.ts";
import { bypass, decide } from "../decide.ts";
import type { Decision } from "../decision.ts";
import { governing, type ModalContext } from "../governing.ts";

/** Reviews a pod, or a workload that creates pods. */
export async function reviewPod(
  request: AdmissionRequest,
  object: KubernetesObject,
  context: ModalContext,
): Promise<Decision> {
  const pod = podOf(object, request.subject.namespace);
  if (pod === undefined) return bypass(request, "not-a-carrier");
  const { oldObject } = request;
  const isUnchanged = oldObject !== undefined && sameSkillInputs(oldObject, object);
  if (isUnchanged && sameLabels(oldObject, pod)) return bypass(request, "unchanged");
  const effective = await governing(pod.namespace, context, pod.isPod);
  if (effective.policies.length === 0) return bypass(request, "ungoverned");
  if (isUnchanged && !isNewlyClosed(oldObject, pod, effective)) return bypass(request, "unchanged");
  // The pod is announced before the first read: a later change to its objects is then reviewed under this pod.
  const forget = pod.isPod ? expectNewPod(request, object, context) : undefined;
  // Changes are listed before the first read: one that is stored meanwhile is in the read or in the list.
  const changes = pod.isPod ? changesToCome(pod, context) : [];
  const judged = { isPod: pod.isPod, startsNothing: !pod.isPod || request.subject.dryRun };
  let admitted = false;
  try {
    const references = await skillsAsShown(request, { pod, changes }, effective, context);
    const decision =
      references.length === 0
        ? bypass(request, "no-skills")
        : decide(request, await evaluate(references, effective, judged, context));
    admitted = decision.outcome !== "deny";
    return decision;
  } finally {
    if (!admitted) forget?.();
  }
}

/** Whether a node may read objects for it that it has not read for this pod before. */
const startsContainers = ({ subject }: AdmissionRequest, { isPod }: PodSubject): boolean =>
  isPod && (subject.operation === "CREATE" || subject.resource === "pods/ephemeralcontainers");

/** The skills that a request adds, as the objects are now, as changes on their way make them, and as nodes may have them. */
async function skillsAsShown(
  request: AdmissionRequest,
  { pod, changes }: { readonly pod: PodSubject; readonly changes: readonly ExpectedChange[] },
  effective: EffectivePolicies,
  context: ReviewContext,
): Promise<readonly SkillReference[]> {
  const { context: noted, read } = noting(context);
  const once = changes.length === 0 ? noted : readingOnce(noted);
  const found = [
    ...(await skillsBroughtIn(request, pod, effective, once)),
    ...(await skillsToCome(pod, changes, effective, once)),
    ...nodeBroughtIn(request, pod, effective),
  ];
  return startsContainers(request, pod) ? withOlderVersions(found, { pod, read }, effective, context) : found;
}

/** A change that is stored between two reads must not be missed by both. */
const readingOnce = (context: ReviewContext): ReviewContext => ({
  ...context,
  deps: { ...context.deps, source: readOnce(context.deps.source) },
});

const labelsOf = (object: KubernetesObject): PodSubject["labels"] => podOf(object, "")?.labels ?? {};

function sameLabels(before: KubernetesObject, { labels }: PodSubject): boolean {
  const old = labelsOf(before);
  const keys = new Set([...Object.keys(old), ...Object.keys(labels)]);
  return keys.values().every((key) => old[key] === labels[key]);
}

/** Whether a change of labels brings a pod under a policy that closes it. */
const isNewlyClosed = (
  before: KubernetesObject,
  { labels }: PodSubject,
  { policies }: EffectivePolicies,
): boolean =>
  policies.some(({ closed }) => closed?.selects(labels) === true && !closed.selects(labelsOf(before)));

/** The node of a pod that is created, or of a template: that of a stored pod was set when it was bound. */
const nodeBroughtIn = (
  { subject }: AdmissionRequest,
  pod: PodSubject,
  { policies }: EffectivePolicies,
): readonly SkillReference[] =>
  pod.isPod && subject.operation !== "CREATE" ? [] : presetNode(pod, policies);

const expectNewPod = (
  { subject }: AdmissionRequest,
  object: KubernetesObject,
  { deps }: ReviewContext,
): (() => void) | undefined =>
  subject.operation === "CREATE" && !subject.dryRun
    ? deps.cluster.expectPod?.(object, subject.namespace)
    : undefined;

/**
 * Finds the skills that a request adds. An ephemeral container is added to a running pod: only the skills that change
 * with it, or that it mounts itself, are judged. The others stay as admitted, for a pod with a broken skill must
 * remain debuggable.
 */
async function skillsBroughtIn(
  { subject, oldObject }: AdmissionRequest,
  pod: PodSubject,
  { policies }: EffectivePolicies,
  context: ReviewContext,
): Promise<readonly SkillReference[]> {
  const before = oldObject === undefined ? undefined : podOf(oldObject, pod.namespace);
  if (before === undefined) return skillsOf(pod, policies, context);
  if (subject.resource !== "pods/ephemeralcontainers")
    return skillsOf(afterUpdate(before, pod), policies, context);
  const once = readingOnce(context);
  const known = new Set((await skillsOf(before, policies, once)).flatMap(fingerprints));
  return (await skillsOf(pod, policies, once)).filter(
    (skill) => !fingerprints(skill).every((one) => known.has(one)),
  );
}
