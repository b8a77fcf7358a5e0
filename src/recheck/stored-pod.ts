import type { KubernetesObject, Labels } from "../kubernetes/object.ts";
import { metadataOf, uidOf } from "../kubernetes/object.ts";
import { sha256 } from "../skill/digest.ts";
import { ownerOf, type ObjectReference } from "../workload/carriers/owner.ts";
import { podOf } from "../workload/carriers/pod-of.ts";
import { filesKey } from "../workload/distinct-pods.ts";
import { afterUpdate } from "../workload/pod/earlier-images.ts";
import type { PodSubject } from "../workload/pod/pod-subject.ts";
import { reducedSpec } from "../workload/reduced-spec.ts";

/** A stored pod, without what it mounts. */
export interface StoredPod {
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  readonly labels: Labels;
  /** The controller, or the pod itself. */
  readonly owner: ObjectReference;
  /** Resource version at which it came into sight. */
  readonly since: bigint;
}

/** A stored pod with what decides which files its containers see. */
export interface ReadPod {
  readonly pod: StoredPod;
  /** Reduced to the fields that decide. */
  readonly subject: PodSubject;
  /** Equal for pods that see the same files. */
  readonly files: string;
}

/** A resource version as a number; 0 if it is none. */
export const versionNumber = (version: unknown): bigint =>
  typeof version === "string" && /^\d{1,20}$/.test(version) ? BigInt(version) : 0n;

/** Reduced to what decides about files: of command lines and variables a pod may have a megabyte. */
const reduced = (subject: PodSubject): PodSubject => ({
  ...subject,
  annotations: {},
  spec: reducedSpec(subject.spec),
});

/**
 * Reads a pod as the watch shows it.
 * @param before the pod as the watch showed it before: what its earlier images wrote is there still
 * @throws SourceError SOURCE_MALFORMED
 */
export function readPod(
  object: KubernetesObject,
  namespace: string,
  before: PodSubject | undefined,
): ReadPod | undefined {
  // Items of a list carry no apiVersion and kind.
  const read = podOf({ ...object, apiVersion: "v1", kind: "Pod" }, namespace);
  if (read === undefined) return undefined;
  const subject = withEarlierImages(reduced(read), before);
  const { name, labels, imagesBefore = new Map<string, string>() } = subject;
  const uid = uidOf(object);
  return {
    pod: {
      uid,
      name,
      namespace,
      labels,
      owner: ownerOf(object.metadata, namespace) ?? { apiVersion: "v1", kind: "Pod", name, namespace, uid },
      since: versionNumber(metadataOf(object)["resourceVersion"]),
    },
    subject,
    files: sha256(Buffer.from(JSON.stringify([namespace, filesKey(subject), [...imagesBefore].sort()]))),
  };
}

/** Images that differ from those before; earlier ones stay earlier ones. */
function withEarlierImages(subject: PodSubject, before: PodSubject | undefined): PodSubject {
  if (before === undefined) return subject;
  const now = afterUpdate(subject, subject).imagesBefore;
  const changed = [...(afterUpdate(before, subject).imagesBefore ?? [])].filter(
    ([container, image]) => now?.get(container) !== image,
  );
  const images = new Map([...(before.imagesBefore ?? []), ...changed]);
  return images.size === 0 ? subject : { ...subject, imagesBefore: images };
}
