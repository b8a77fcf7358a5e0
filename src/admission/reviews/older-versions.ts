import { skillsOf, type EffectivePolicies, type ReviewContext } from "../../evaluation/evaluate.ts";
import { goneName } from "../../evaluation/cluster-view.ts";
import { observed } from "../../evaluation/source-overlay.ts";
import { yieldToEventLoop } from "../../evaluation/yield-to-event-loop.ts";
import { baseName } from "../../skill/path.ts";
import type { SkillReference } from "../../skill/reference.ts";
import type { VolumeObject, VolumeObjectRef } from "../../skill/source.ts";
import { distinctPods, filesKey } from "../../workload/distinct-pods.ts";
import type { PlaceInRoot } from "../../workload/objects-to-read.ts";
import type { PodSubject } from "../../workload/pod/pod-subject.ts";
import { reducedSpec } from "../../workload/reduced-spec.ts";
import { comesFrom, listed, placeInRoot } from "../versions/config-map-users.ts";

/** The ConfigMaps that a review has read, by name; undefined: there is none. */
export type ReadConfigMaps = ReadonlyMap<string, VolumeObject | undefined>;

/** Notes which ConfigMaps a review reads. */
export function noting(context: ReviewContext): {
  readonly context: ReviewContext;
  readonly read: ReadConfigMaps;
} {
  const read = new Map<string, VolumeObject | undefined>();
  const source = observed(context.deps.source, ({ kind, name }, object) => {
    if (kind === "ConfigMap") read.set(name, object);
  });
  return { read, context: { ...context, deps: { ...context.deps, source } } };
}

/**
 * Marks the skills of a new pod of which its node may show an older ConfigMap than the one that is judged: it keeps an
 * immutable one after the deletion for as long as some pod names it. What pods show as a skill is judged, and is deleted
 * under them only if it is signed; so those are meant that have it as anything else.
 */
export async function withOlderVersions(
  references: readonly SkillReference[],
  { pod, read }: { readonly pod: PodSubject; readonly read: ReadConfigMaps },
  effective: EffectivePolicies,
  context: ReviewContext,
): Promise<readonly SkillReference[]> {
  let marked = references;
  for (const [name, object] of read) {
    const ref: VolumeObjectRef = { kind: "ConfigMap", namespace: pod.namespace, name };
    const { since } = context.deps.cluster.holders?.(ref) ?? {};
    if (since === undefined || (object?.createdAt !== undefined && since > object.createdAt)) continue;
    const isShown = references.some((one) => comesFrom(one, ref));
    const place = placeInRoot(ref, pod, effective);
    if (!isShown && place === undefined) continue;
    const others = await othersHaving({ ref, object, pod }, effective, context);
    if (others.length === 0) continue;
    const obstacle = `ConfigMap ${name} may have been made anew under Pod ${listed(others)}, whose node goes on giving the one of this name that it had first`;
    marked = marked.map((one) => (comesFrom(one, ref) ? { obstacle, ...one } : one));
    if (!isShown && place !== undefined) marked = [...marked, unseen(name, place, obstacle)];
  }
  return marked;
}

interface NewUse {
  readonly ref: VolumeObjectRef;
  readonly object: VolumeObject | undefined;
  readonly pod: PodSubject;
}

/** Identifies the files that a pod's containers see, of stored pods and of new ones alike. */
const filesOf = (pod: PodSubject): string => filesKey({ ...pod, spec: reducedSpec(pod.spec) });

/** Whether a pod is a replica of the new one that came in one second with their ConfigMap: mostly from one manifest. */
const isInstalledWith = (pod: PodSubject, object: VolumeObject | undefined, newPod: PodSubject): boolean =>
  pod.createdAt === object?.createdAt && filesOf(pod) === filesOf(newPod);

/** Names of the pods that have the object, and need not show it as a skill whatever it held. */
async function othersHaving(
  { ref, object, pod: newPod }: NewUse,
  effective: EffectivePolicies,
  context: ReviewContext,
): Promise<readonly string[]> {
  const { cluster } = context.deps;
  // All but the new pod itself, which may be stored already.
  const using = cluster.podsUsing(ref).filter(({ name }) => name !== newPod.name);
  const gone = cluster.podsGone?.(ref) ?? [];
  const known = new Set([
    newPod.name,
    ...using.map(({ name }) => name),
    ...gone.map(({ name }) => goneName(name)),
  ]);
  const others = (cluster.holders?.(ref).names() ?? []).filter((name) => !known.has(name));
  const distinct = await distinctPods(
    [...gone, ...using],
    () => "",
    () => yieldToEventLoop(context.signal),
  );
  for (const pod of distinct) {
    if (placeInRoot(ref, pod, effective) !== undefined || isInstalledWith(pod, object, newPod)) continue;
    // Of one that is older, or of an object that changes, it is not known what it showed.
    const isAsJudged = object?.immutable === true && (pod.createdAt ?? "") > (object.createdAt ?? "");
    const skills = isAsJudged ? await skillsOf(pod, effective.policies, context) : [];
    if (!skills.some((one) => comesFrom(one, ref))) others.push(pod.name);
    await yieldToEventLoop(context.signal);
  }
  return others;
}

const unseen = (name: string, { container, path }: PlaceInRoot, obstacle: string): SkillReference => ({
  name: baseName(path),
  path,
  containers: [container],
  sources: [{ kind: "ConfigMap", name, writable: false }],
  content: {
    state: "unavailable",
    code: "SOURCE_UNAVAILABLE",
    detail: `ConfigMap ${name} shows no file here now`,
  },
  obstacle,
});
