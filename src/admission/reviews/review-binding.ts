import {
  effectivePolicies,
  evaluate,
  rootsOf,
  skillsOf,
  type EffectivePolicies,
  type ReviewContext,
} from "../../evaluation/evaluate.ts";
import { atBinding } from "../../evaluation/preset-node.ts";
import { readOnce } from "../../evaluation/source-overlay.ts";
import { metadataOf, uidOf, type KubernetesObject } from "../../kubernetes/object.ts";
import { SourceError } from "../../skill/source-error.ts";
import type { SkillReference } from "../../skill/reference.ts";
import { isFields } from "../../text/fields.ts";
import { podOf } from "../../workload/carriers/pod-of.ts";
import { objectsToRead } from "../../workload/objects-to-read.ts";
import { readPodSpec } from "../../workload/pod/pod-spec.ts";
import type { PodSubject } from "../../workload/pod/pod-subject.ts";
import type { AdmissionRequest } from "../admission-request.ts";
import { bypass, decide } from "../decide.ts";
import type { Decision } from "../decision.ts";
import { lenientOf, type ModalContext } from "../governing.ts";
import { changesToCome, skillsToCome } from "../versions/skills-to-come.ts";
import { tooManyValues } from "../too-many-values.ts";

/**
 * Reviews the binding of a pod to a node: the last write before a kubelet sees the pod. The pod and its objects are
 * judged as they are stored, whatever other replicas let through since the pod was admitted.
 */
export async function reviewBinding(request: AdmissionRequest, context: ModalContext): Promise<Decision> {
  const all = atBinding(context.deps.policies.current().policies);
  if (all.length === 0) return bypass(request, "not-rechecked");
  context.letInBy(lenientOf(all));
  const effective = await effectivePolicies(request.subject.namespace, context);
  if (effective.policies.length === 0) return bypass(request, "ungoverned");
  const rechecking = atBinding(effective.policies);
  if (rechecking.length === 0) return bypass(request, "not-rechecked");
  const demanding = effective.policies.filter((one) => one.always !== undefined || rechecking.includes(one));
  context.letInBy(lenientOf(demanding));
  const pod = await podToBind(request, context);
  if (pod === undefined) return bypass(request, "no-such-pod");
  if (lenientOf(demanding) === undefined && readsObjects(pod, effective))
    await context.deps.cluster.settling?.(context.signal);
  const references = await skillsAsStored(pod, effective, context);
  if (references.length === 0) return bypass(request, "no-skills");
  // Policies that do not review bindings have judged the pod when it was created.
  return decide(request, await evaluate(references, { ...effective, policies: demanding }, pod, context));
}

const readsObjects = (pod: PodSubject, { policies }: EffectivePolicies): boolean =>
  objectsToRead(readPodSpec(pod), rootsOf(policies)).length > 0;

/**
 * The stored pod with the labels and annotations that the Binding gives it; undefined if it is gone, or is not the one
 * that the Binding names by its uid.
 * @throws SourceError
 */
async function podToBind(
  { subject, object, tooLarge }: AdmissionRequest,
  { deps, signal }: ReviewContext,
): Promise<PodSubject | undefined> {
  const { namespace, name } = subject;
  if (tooLarge !== undefined) throw tooManyValues(`Binding ${namespace}/${name}`);
  if (object === undefined) throw new SourceError("SOURCE_MALFORMED", "request.object is missing");
  const uid = uidOf(object);
  // The API server takes it out of every Binding at the older resource.
  if (uid === "")
    throw new SourceError(
      "SOURCE_MALFORMED",
      "the Binding has no metadata.uid, so another pod of that name could be bound than the one under review; have the scheduler set it and bind by pods/binding, as kube-scheduler does",
    );
  if (deps.cluster.storedPod === undefined)
    throw new SourceError("SOURCE_UNAVAILABLE", "there is no cluster from which the pod could be read");
  const stored = await deps.cluster.storedPod(namespace, name, signal);
  return stored === undefined || uidOf(stored) !== uid
    ? undefined
    : podOf(asBound(stored, object), namespace);
}

/** The API server writes a Binding's labels and annotations over the pod's. */
function asBound(pod: KubernetesObject, binding: KubernetesObject): KubernetesObject {
  const [own, given] = [metadataOf(pod), metadataOf(binding)];
  const written = (field: "labels" | "annotations"): object => ({
    ...(isFields(own[field]) ? own[field] : {}),
    ...(isFields(given[field]) ? given[field] : {}),
  });
  return {
    ...pod,
    metadata: { ...own, labels: written("labels"), annotations: written("annotations") },
  };
}

/** Finds the skills of a stored pod, also as changes that this replica let through and that are on their way make them. */
async function skillsAsStored(
  pod: PodSubject,
  effective: EffectivePolicies,
  context: ReviewContext,
): Promise<readonly SkillReference[]> {
  // Changes are listed before the first read: one that is stored meanwhile is in the read or in the list.
  const changes = changesToCome(pod, context);
  const once = { ...context, deps: { ...context.deps, source: readOnce(context.deps.source) } };
  return [
    ...(await skillsOf(pod, effective.policies, once)),
    ...(await skillsToCome(pod, changes, effective, once)),
  ];
}
