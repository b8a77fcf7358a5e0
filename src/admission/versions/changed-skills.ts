import { skillsOf, rootsOf, type EffectivePolicies, type ReviewContext } from "../../evaluation/evaluate.ts";
import { readObjects } from "../../evaluation/read-objects.ts";
import { readOnce, withObject } from "../../evaluation/source-overlay.ts";
import type { SkillReference } from "../../skill/reference.ts";
import { treeDigest } from "../../skill/skill.ts";
import type { VolumeObject } from "../../skill/source.ts";
import { readPodSpec, type PodSpec } from "../../workload/pod/pod-spec.ts";
import type { PodSubject } from "../../workload/pod/pod-subject.ts";
import type { ReadObjects } from "../../workload/pod/volume-view.ts";
import { environmentRequests } from "../../workload/roots/container-variables.ts";
import { changeIn, type ChangeInPod } from "../../workload/changes/change-in-pod.ts";
import { leftRoots, underEarlierRoots, type VariableObjects } from "../../workload/earlier-roots.ts";
import type { ObjectChange } from "../../workload/changes/object-change.ts";
import { otherObjects } from "./other-objects.ts";

/**
 * Finds the skills of a pod that a change to one object alters, each with the reason why running containers would not
 * take it in one step; the others are not under review. Bytes that changed are judged whatever else is unavailable, and
 * though the review fails in the same way before and after the change. A folder that was a skill stays one.
 */
export async function changedSkills(
  pod: PodSubject,
  change: ObjectChange,
  { policies }: EffectivePolicies,
  context: ReviewContext,
): Promise<readonly SkillReference[]> {
  const others = readOnce(context.deps.source);
  const once = { ...context, deps: { ...context.deps, source: others } };
  const seenWith = (version: VolumeObject | undefined): Promise<readonly SkillReference[]> =>
    skillsOf(pod, policies, {
      ...once,
      deps: { ...once.deps, source: withObject(others, change.ref, version) },
    });
  const before = await seenWith(change.before);
  const after = await seenWith(change.after);
  const objects = await otherObjects(pod, change.ref, rootsOf(policies), once);
  const spec = readPodSpec(pod);
  const inPod = changeIn(spec, { ...change, podCreatedAt: pod.createdAt }, objects);
  const altered = alteredOf(before, after, inPod);
  const found = [...altered, ...lostSkills(before, altered, change, inPod), ...inPod.doubtful(after)];
  if (spec.containers.every(({ environmentSources: { envFrom, open } }) => envFrom.length + open.size === 0))
    return found;
  const variables = await variablesIn(spec, change, once);
  return [
    ...found,
    ...leftRoots(spec, rootsOf(policies), change, variables),
    ...underEarlierRoots(spec, change, objects, found),
  ];
}

/** The ConfigMaps of variables with each version of the one that changes. */
async function variablesIn(
  spec: PodSpec,
  { ref, before, after }: ObjectChange,
  { deps: { source }, signal }: ReviewContext,
): Promise<VariableObjects> {
  const requests = spec.containers.flatMap((container) => environmentRequests(container, spec.namespace));
  const readWith = (version: VolumeObject | undefined): Promise<ReadObjects> =>
    readObjects(requests, withObject(source, ref, version), signal);
  return { before: await readWith(before), after: await readWith(after) };
}

/** Kinds through which the bytes of a ConfigMap can hide behind a fault of the pod. */
const mayHide = ({ content, sources }: SkillReference): boolean =>
  content.state === "unavailable" || sources.some(({ kind }) => kind === "ConfigMap" || kind === "Projected");

function alteredOf(
  before: readonly SkillReference[],
  after: readonly SkillReference[],
  inPod: ChangeInPod,
): readonly SkillReference[] {
  const known = new Set(before.flatMap(fingerprints));
  return after.flatMap((skill) => {
    const isNew = !fingerprints(skill).every((one) => known.has(one));
    const isTouched = inPod.touches(skill) && (skill.content.state === "resolved" || mayHide(skill));
    return isNew || isTouched ? [withObstacle(skill, inPod)] : [];
  });
}

function withObstacle(skill: SkillReference, inPod: ChangeInPod): SkillReference {
  const obstacle = inPod.obstacle(skill);
  return obstacle === undefined ? skill : { ...skill, obstacle };
}

const placesOf = ({ path, containers }: SkillReference): readonly string[] =>
  containers.map((container) => JSON.stringify([container, path]));

/** Skills that the change would leave as folders of other files, such as by taking out SKILL.md. */
function lostSkills(
  before: readonly SkillReference[],
  altered: readonly SkillReference[],
  { ref }: ObjectChange,
  inPod: ChangeInPod,
): readonly SkillReference[] {
  const still = new Set(altered.flatMap(placesOf));
  return before
    .filter(({ content }) => content.state === "resolved")
    .filter((skill) => inPod.touches(skill) && !placesOf(skill).every((place) => still.has(place)))
    .map((skill) => withObstacle(skill, inPod))
    .filter((skill) => skill.obstacle !== undefined || inPod.leaves(skill))
    .map((skill) => ({
      ...skill,
      content: {
        state: "unavailable",
        code: "SOURCE_UNAVAILABLE",
        detail: `the change takes out of ConfigMap ${ref.name} what makes this folder of a running pod a skill, such as SKILL.md; keep it there`,
      },
    }));
}

/**
 * Identifies the content of a reference in each of its containers: equal fingerprints mean equal skills, as far as these
 * could be read.
 */
export function fingerprints({ path, containers, content, sources }: SkillReference): readonly string[] {
  const bytes =
    content.state === "resolved" ? treeDigest(content.skill) : `${content.state}: ${content.detail}`;
  const uses = sources.map(({ kind, name, writable }) => [kind, name, writable]);
  return containers.map((container) => JSON.stringify([container, path, bytes, uses]));
}
