import type { KubernetesObject, Labels } from "../kubernetes/object.ts";
import { metadataOf, uidOf } from "../kubernetes/object.ts";
import { sha256 } from "../skill/digest.ts";
import { isFields } from "../text/fields.ts";
import { ownerOf, type ObjectReference } from "../workload/carriers/owner.ts";
import { podOf } from "../workload/carriers/pod-of.ts";
import { filesKey } from "../workload/distinct-pods.ts";
import { afterUpdate } from "../workload/pod/earlier-images.ts";
import type { PodSubject } from "../workload/pod/pod-subject.ts";

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

const specFields = ["volumes", "hostPID", "shareProcessNamespace", "securityContext"] as const;
const containerLists = ["initContainers", "containers", "ephemeralContainers"] as const;
/** Fields of containers that decide nothing about files; of a list of those that do, one would be missing some day. */
const bulky: ReadonlySet<string> = new Set([
  "command",
  "args",
  "ports",
  "livenessProbe",
  "readinessProbe",
  "startupProbe",
  "lifecycle",
  "imagePullPolicy",
  "resizePolicy",
  "terminationMessagePolicy",
]);

function reduced({ spec, ...subject }: PodSubject): PodSubject {
  const fields = specFields.filter((name) => spec[name] !== undefined).map((name) => [name, spec[name]]);
  const lists = containerLists.flatMap((name) => {
    const list = spec[name];
    if (list === undefined) return [];
    return [[name, Array.isArray(list) ? list.map(withoutBulk) : list]];
  });
  return {
    ...subject,
    annotations: {},
    spec: Object.fromEntries([...fields, ...lists]) as PodSubject["spec"],
  };
}

const withoutBulk = (container: unknown): unknown =>
  isFields(container)
    ? Object.fromEntries(Object.entries(container).filter(([name]) => !bulky.has(name)))
    : container;

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
