import { SourceError } from "../../skill/source-error.ts";
import {
  volumeObjectKinds,
  type VolumeObject,
  type VolumeObjectRef,
  type VolumeObjectRequest,
} from "../../skill/source.ts";
import type { ManifestObject, PlacedObject } from "../../kubernetes/manifest-object.ts";
import { metadataOf, type KubernetesObject, type Labels } from "../../kubernetes/object.ts";
import {
  forEachKind,
  group,
  isOwnKind,
  ownKinds,
  scopeOf,
  type PolicyObjects,
} from "../../policy/resource/kinds.ts";
import { PodStore } from "../pod-store.ts";
import { decodeVolumeObject, holdsKeys, withStringData } from "../../kubernetes/volume-object.ts";
import { ManifestError } from "./manifests.ts";

/** Objects of a folder of manifests, by the keys that reviews ask for. */
export interface ObjectIndex {
  readonly own: PolicyObjects;
  namespaceLabels(name: string): Labels | undefined;
  read(request: VolumeObjectRequest): VolumeObject | undefined;
  /** Objects of a kind and name, in all namespaces. */
  named(kind: VolumeObjectRef["kind"], name: string): readonly KubernetesObject[];
  readonly pods: PodStore;
}

const clusterWide: ReadonlySet<string> = new Set([
  "Namespace",
  ...ownKinds.filter((kind) => scopeOf(kind) === "Cluster"),
]);

/** An object that names no namespace belongs to `default`, as with kubectl. */
const homeOf = (entry: ManifestObject): string =>
  clusterWide.has(entry.kind) ? "" : (entry.namespace ?? "default");

const keyOf = (kind: string, namespace: string, name: string): string => `${kind}\n${namespace}\n${name}`;

const groupOf = (apiVersion: string): string => apiVersion.split("/").slice(0, -1).join("/");

function faultOf({ file, entry }: PlacedObject): string | undefined {
  if (groupOf(entry.apiVersion) !== group || isOwnKind(entry.kind)) return undefined;
  return `${file}: ${entry.kind} ${entry.name} is of a kind that this version does not know; known are ${ownKinds.join(", ")}`;
}

/**
 * Kinds that are looked up by name. The key leaves the group out: a second group with one of these kinds is a
 * mistake.
 */
const indexed: ReadonlySet<string> = new Set([...volumeObjectKinds, "Namespace", "Pod", ...ownKinds]);

function byKey(objects: readonly PlacedObject[]): ReadonlyMap<string, PlacedObject> {
  const map = new Map<string, PlacedObject>();
  const problems: string[] = [];
  for (const placed of objects) {
    const fault = faultOf(placed);
    if (fault !== undefined) problems.push(fault);
    const { kind, name } = placed.entry;
    if (!indexed.has(kind)) continue;
    const key = keyOf(kind, homeOf(placed.entry), name);
    const other = map.get(key);
    if (other !== undefined)
      problems.push(`${placed.file}: ${kind} ${name} is in ${other.file} already; keep one`);
    map.set(key, placed);
  }
  if (problems.length > 0) throw new ManifestError(problems);
  return map;
}

/** Labels of a Namespace in a file, which no API server has validated. */
function labelsOfNamespace({ object, name }: ManifestObject): Labels {
  const labels = metadataOf(object)["labels"] ?? {};
  if (typeof labels !== "object" || Object.values(labels).some((value) => typeof value !== "string"))
    throw new SourceError("SOURCE_MALFORMED", `Namespace ${name}: metadata.labels is not a map of text`);
  // The API server sets this label itself, and policies may select by it.
  return { ...(labels as Labels), "kubernetes.io/metadata.name": name };
}

/**
 * Indexes objects by kind, namespace and name.
 * @throws ManifestError where two objects have the same name, or a kind of this product is unknown
 */
export function indexObjects(objects: readonly PlacedObject[]): ObjectIndex {
  const map = byKey(objects);
  const of = (kind: string): readonly KubernetesObject[] =>
    [...map.values()].filter(({ entry }) => entry.kind === kind).map(({ entry }) => entry.object);
  const pods = new PodStore();
  for (const [key, { entry, file }] of map) {
    if (entry.kind !== "Pod") continue;
    try {
      pods.set(key, entry.object, homeOf(entry));
    } catch (cause) {
      throw new ManifestError([`${file}: ${(cause as Error).message}`], { cause });
    }
  }
  const decoded = new Map<string, VolumeObject>();
  return {
    own: forEachKind(of),
    pods,
    named: (kind, name) =>
      [...map.values()]
        .filter(({ entry }) => entry.kind === kind && entry.name === name)
        .map(({ entry }) => entry.object),
    namespaceLabels: (name) => {
      const placed = map.get(keyOf("Namespace", "", name));
      return placed === undefined ? undefined : labelsOfNamespace(placed.entry);
    },
    read: (request) => {
      const key = keyOf(request.kind, request.namespace, request.name);
      const placed = map.get(key);
      if (placed === undefined) return undefined;
      const known = decoded.get(key);
      if (known !== undefined && holdsKeys(known, request)) return known;
      const { object } = placed.entry;
      const result = decodeVolumeObject(withStringData(object, request), request);
      decoded.set(key, result);
      return result;
    },
  };
}
