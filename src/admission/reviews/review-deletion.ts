import { evaluate, skillsOf, type EffectivePolicies, type ReviewContext } from "../../evaluation/evaluate.ts";
import { closedBy } from "../../evaluation/pod-faults.ts";
import { readOnce, withObject } from "../../evaluation/source-overlay.ts";
import { verdictsOn } from "../../evaluation/verdicts-on.ts";
import { yieldToEventLoop } from "../../evaluation/yield-to-event-loop.ts";
import { metadataOf, nameOf, type KubernetesObject } from "../../kubernetes/object.ts";
import { readLarge } from "../../kubernetes/large-object.ts";
import { decodeVolumeObject } from "../../kubernetes/volume-object.ts";
import type { Policy } from "../../policy/policy.ts";
import { declaresSkill } from "../../skill/declares-skill.ts";
import type { PodFault, SkillReference } from "../../skill/reference.ts";
import { isSkillFile } from "../../skill/skill-file.ts";
import { SourceError } from "../../skill/source-error.ts";
import type { VolumeObject, VolumeObjectRef } from "../../skill/source.ts";
import { JsonError } from "../../text/json.ts";
import { distinctPods } from "../../workload/distinct-pods.ts";
import type { PodSubject } from "../../workload/pod/pod-subject.ts";
import { withoutLists } from "../../policy/always.ts";
import type { AdmissionRequest } from "../admission-request.ts";
import { comesFrom, holdersOf, listed, placeInRoot } from "../versions/config-map-users.ts";
import { frontsOf } from "../versions/configmap-change.ts";
import { bypass, decide } from "../decide.ts";
import type { Decision } from "../decision.ts";
import { governing, type ModalContext } from "../governing.ts";
import { unsignedKeys } from "./signed-keys.ts";

/**
 * The immutable ConfigMap whose name a request sets free: it deletes it, or takes the last finalizer off one that is
 * being deleted.
 */
export function freedBy(request: AdmissionRequest): KubernetesObject | undefined {
  if (request.resource !== "configmaps") return undefined;
  const { subject } = request;
  const { object, oldObject } = frontsOf(request);
  if (oldObject?.["immutable"] !== true) return undefined;
  if (subject.operation === "DELETE") return oldObject;
  if (subject.operation !== "UPDATE" || object === undefined) return undefined;
  const { deletionTimestamp, finalizers } = metadataOf(object);
  const isLast = !Array.isArray(finalizers) || finalizers.length === 0;
  return deletionTimestamp !== undefined && deletionTimestamp !== null && isLast ? oldObject : undefined;
}

/**
 * Reviews the end of an immutable ConfigMap. A node goes on giving it to every pod that names it, new ones included,
 * for as long as one is there: under the name of another ConfigMap, which is signed, its bytes would come in unseen. So
 * those of a skill must be signed themselves to be given up while pods have them.
 */
export async function reviewDeletion(
  request: AdmissionRequest,
  old: KubernetesObject,
  context: ModalContext,
): Promise<Decision> {
  const { namespace } = request.subject;
  const ref: VolumeObjectRef = { kind: "ConfigMap", namespace, name: nameOf(old) };
  // To be deleted, bytes need no look at what is revoked.
  const effective = await governing(namespace, context, true, withoutLists);
  if (effective.policies.length === 0) return bypass(request, "ungoverned");
  const holders = holdersOf(ref, context);
  if (holders.length === 0) return bypass(request, "unused");
  const object = await decoded(request, old, ref, context.signal);
  const pods = await distinctPods(
    [...context.deps.cluster.podsUsing(ref), ...(context.deps.cluster.podsGone?.(ref) ?? [])],
    (pod) => closedBy(pod, effective.policies),
    () => yieldToEventLoop(context.signal),
  );
  const isInRoot = pods.some((pod) => placeInRoot(ref, pod, effective) !== undefined);
  const shown = object === undefined ? [] : await skillsShowing(object, pods, effective, context);
  if (object !== undefined && shown.length === 0 && !isInRoot && !holdsSkill(object))
    return bypass(request, "no-skills");
  const { verdicts, trust } = await evaluate(
    shown.map(({ skill }) => skill),
    effective,
    { isPod: true },
    context,
  );
  const partial = new Set(shown.flatMap(({ skill, isPartial }) => (isPartial ? [skill] : [])));
  const unsigned = verdicts.map(({ skills }) =>
    object === undefined ? [] : unsignedKeys(object, skills, ({ reference }) => partial.has(reference)),
  );
  const refusing = effective.policies.filter((_, at) => object === undefined || unsigned[at]?.length !== 0);
  const faults =
    refusing.length === 0 ? [] : [stillInUse(ref, holders, refusing, [...new Set(unsigned.flat())])];
  const judged = faults.map((reference) => ({ reference, evidence: undefined }));
  return decide(request, {
    skills: judged,
    verdicts: verdictsOn(judged, effective.policies, { isPod: true }, context.now),
    trust,
  });
}

/** The object with all that it holds; undefined if that cannot be read. */
async function decoded(
  { tooLarge }: AdmissionRequest,
  old: KubernetesObject,
  ref: VolumeObjectRef,
  signal: AbortSignal,
): Promise<VolumeObject | undefined> {
  try {
    const unread = tooLarge?.oldObject;
    const content =
      unread === undefined ? old : await readLarge(unread, undefined, () => yieldToEventLoop(signal));
    return decodeVolumeObject(content, ref);
  } catch (error) {
    if (error instanceof JsonError || (error instanceof SourceError && error.code !== "TIMEOUT"))
      return undefined;
    throw error;
  }
}

const holdsSkill = ({ files }: VolumeObject): boolean =>
  files.entries().some(([key, file]) => isSkillFile(key) || declaresSkill(file));

interface ShownSkill {
  readonly skill: SkillReference;
  readonly isPartial: boolean;
}

/** The skills of pods with files of the object. */
async function skillsShowing(
  object: VolumeObject,
  pods: readonly PodSubject[],
  { policies }: EffectivePolicies,
  context: ReviewContext,
): Promise<readonly ShownSkill[]> {
  const { deps, signal } = context;
  const source = withObject(readOnce(deps.source), object, object);
  const shown: ShownSkill[] = [];
  for (const pod of pods) {
    const skills = await skillsOf(pod, policies, { ...context, deps: { ...deps, source } });
    const lacking = new Set(
      skills.flatMap(({ content, path }) => (content.state === "unavailable" ? [path] : [])),
    );
    for (const skill of skills)
      if (skill.content.state === "resolved" && comesFrom(skill, object))
        shown.push({ skill, isPartial: lacking.has(skill.path) });
    await yieldToEventLoop(signal);
  }
  return shown;
}

function stillInUse(
  { name }: VolumeObjectRef,
  holders: readonly string[],
  policies: readonly Policy[],
  keys: readonly string[],
): SkillReference {
  const what = keys.length === 0 ? "it cannot be read" : `not all of it is signed (${listed(keys)})`;
  const content: PodFault = {
    state: "fault",
    demand: "inUse",
    policies: policies.map((policy) => policy.name),
    detail: `Pod ${listed(holders)} ${holders.length === 1 ? "has" : "have"} it, and ${what}: a node gives its bytes to every pod that mounts this name, as long as one that has it is there`,
  };
  return {
    name,
    path: "",
    containers: [],
    sources: [{ kind: "ConfigMap", name, immutable: true, writable: false }],
    content,
  };
}
