import type { ExpectedChange } from "../../evaluation/cluster-view.ts";
import { evaluate, rootsOf, type EffectivePolicies, type ReviewContext } from "../../evaluation/evaluate.ts";
import { closedBy } from "../../evaluation/pod-faults.ts";
import { yieldToEventLoop } from "../../evaluation/yield-to-event-loop.ts";
import type { SkillReference } from "../../skill/reference.ts";
import { SourceError } from "../../skill/source-error.ts";
import type { VolumeObject, VolumeObjectRef, VolumeObjectRequest } from "../../skill/source.ts";
import { distinctPods } from "../../workload/distinct-pods.ts";
import { joinedRequest, objectsToRead } from "../../workload/objects-to-read.ts";
import { readPodSpec } from "../../workload/pod/pod-spec.ts";
import type { PodSubject } from "../../workload/pod/pod-subject.ts";
import type { AdmissionRequest } from "../admission-request.ts";
import { changeOf, type ConfigMapChange } from "../versions/configmap-change.ts";
import { bypass, decide } from "../decide.ts";
import type { Decision } from "../decision.ts";
import { governing, type ModalContext } from "../governing.ts";
import { skillsChangedBy } from "../versions/skills-to-come.ts";

/**
 * Reviews a change to a ConfigMap by the pods that mount it: each is judged with the new content. A change that is let
 * through is remembered for pods that come while it is being stored.
 */
export async function reviewChange(request: AdmissionRequest, context: ModalContext): Promise<Decision> {
  const effective = await governing(request.subject.namespace, context);
  if (effective.policies.length === 0) return bypass(request, "ungoverned");
  const change = changeOf(request, () => yieldToEventLoop(context.signal));
  if (change.hasSameData) return bypass(request, "unchanged");
  // The change is announced before the pods are asked for: a pod that comes later is judged with it.
  const forget = await expectChange(request, change.expected, effective, context);
  let admitted = false;
  try {
    const decision = await judgeChange(request, change, effective, context);
    admitted = decision.outcome !== "deny";
    return decision;
  } finally {
    if (!admitted) forget?.();
  }
}

/**
 * Announces a change. Returns what withdraws it.
 * @throws SourceError LIMIT_EXCEEDED if a policy enforces, and no more changes can be remembered
 */
export async function expectChange(
  { subject }: AdmissionRequest,
  change: ExpectedChange,
  { policies }: EffectivePolicies,
  { deps, signal }: ReviewContext,
): Promise<(() => void) | undefined> {
  if (subject.dryRun || deps.cluster.expectChange === undefined) return undefined;
  const forget = await deps.cluster.expectChange(change, signal);
  if (forget !== undefined || policies.every(({ mode }) => mode !== "Enforce")) return forget;
  throw new SourceError(
    "LIMIT_EXCEEDED",
    `more ConfigMaps of namespace ${subject.namespace} are being changed at once than are remembered until they are stored; try again in a minute`,
  );
}

async function judgeChange(
  request: AdmissionRequest,
  { expected: { ref }, read }: ConfigMapChange,
  effective: EffectivePolicies,
  context: ReviewContext,
): Promise<Decision> {
  const pods = context.deps.cluster.podsUsing(ref);
  if (pods.length === 0) return bypass(request, "unused");
  const distinct = await distinctPods(
    pods,
    (pod) => closedBy(pod, effective.policies),
    () => yieldToEventLoop(context.signal),
  );
  const asked = await askedOf(ref, distinct, rootsOf(effective.policies), context.signal);
  if (asked === undefined) return bypass(request, "no-skills");
  const { before, after } = await read(asked);
  if (before !== undefined && isSameObject(before, after)) return bypass(request, "unchanged");
  const changed: SkillReference[] = [];
  for (const pod of distinct) {
    const skills = await skillsChangedBy({ ref, before, after }, pod, effective, context);
    changed.push(...skills.map((skill) => ({ ...skill, mountedBy: `${pod.namespace}/${pod.name}` })));
    await yieldToEventLoop(context.signal);
  }
  if (changed.length === 0) return bypass(request, "no-skills");
  return decide(request, await evaluate(changed, effective, { isPod: true }, context));
}

/**
 * Merges what the pods read of the object into one request; undefined if none reads it.
 * @throws SourceError TIMEOUT
 */
async function askedOf(
  ref: VolumeObjectRef,
  pods: readonly PodSubject[],
  roots: readonly string[],
  signal: AbortSignal,
): Promise<VolumeObjectRequest | undefined> {
  let asked: VolumeObjectRequest | undefined;
  for (const pod of pods) {
    const requests = objectsToRead(readPodSpec(pod), roots);
    const own = requests.filter(({ kind, name }) => kind === ref.kind && name === ref.name);
    asked = own.reduce(joinedRequest, asked);
    await yieldToEventLoop(signal);
  }
  return asked;
}

/** Whether no byte that is mounted differs: other keys, labels and `immutable` do not reach pods. */
const isSameObject = (before: VolumeObject, after: VolumeObject): boolean =>
  before.files.size === after.files.size &&
  after.files.entries().every(([key, { bytes }]) => {
    const other = before.files.get(key)?.bytes;
    return other !== undefined && Buffer.compare(bytes, other) === 0;
  });
