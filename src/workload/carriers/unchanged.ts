import { SourceError } from "../../skill/source-error.ts";
import { isFields, type Fields } from "../../text/fields.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { podOf } from "./pod-of.ts";
import type { PodSubject } from "../pod/pod-subject.ts";

/**
 * Fields of a pod's spec that decide where and how long it runs, never which files it sees. Every other field counts,
 * those of future Kubernetes versions included: a list of relevant fields would miss them.
 */
const harmlessInSpec: ReadonlySet<string> = new Set([
  "activeDeadlineSeconds",
  "affinity",
  "nodeName",
  "nodeSelector",
  "overhead",
  "preemptionPolicy",
  "priority",
  "priorityClassName",
  "readinessGates",
  "resources",
  "restartPolicy",
  "schedulerName",
  "schedulingGates",
  "terminationGracePeriodSeconds",
  "tolerations",
  "topologySpreadConstraints",
]);

const harmlessInContainer: ReadonlySet<string> = new Set(["resizePolicy"]);

const containerLists: ReadonlySet<string> = new Set(["containers", "initContainers", "ephemeralContainers"]);

function isEqual(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (Array.isArray(one)) {
    return (
      Array.isArray(other) &&
      one.length === other.length &&
      one.every((item, index) => isEqual(item, other[index]))
    );
  }
  return isFields(one) && isFields(other) && areFieldsEqual(one, other, isEqual);
}

function areFieldsEqual(
  one: Fields,
  other: Fields,
  equal: (one: unknown, other: unknown, name: string) => boolean,
): boolean {
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return names.values().every((name) => equal(one[name], other[name], name));
}

const areContainersEqual = (one: unknown, other: unknown): boolean =>
  Array.isArray(one) && Array.isArray(other)
    ? one.length === other.length && one.every((item, index) => isContainerEqual(item, other[index]))
    : isEqual(one, other);

const isContainerEqual = (one: unknown, other: unknown): boolean =>
  isFields(one) && isFields(other)
    ? areFieldsEqual(one, other, (a, b, name) => {
        if (name === "resources") return isEqual(claimsOf(a), claimsOf(b));
        return harmlessInContainer.has(name) || isEqual(a, b);
      })
    : isEqual(one, other);

/** Claimed devices may bring files of their own; amounts of CPU and memory do not. */
const claimsOf = (resources: unknown): unknown => (isFields(resources) ? resources["claims"] : undefined);

const areSpecsEqual = (one: Fields, other: Fields): boolean =>
  areFieldsEqual(one, other, (a, b, name) => {
    if (harmlessInSpec.has(name)) return true;
    return containerLists.has(name) ? areContainersEqual(a, b) : isEqual(a, b);
  });

/** Fields of a pod that no update changes. */
const fixedFields: ReadonlySet<unknown> = new Set(["metadata.name", "metadata.namespace", "metadata.uid"]);

/** Whether a reference to a field of the pod names one that no update changes. */
export const isFixed = (fieldRef: unknown): boolean =>
  isFields(fieldRef) && fixedFields.has(fieldRef["fieldPath"]);

/** Whether files of a downward API are known to be of fixed fields, as the namespace beside every account's token is. */
const areFilesFixed = (downward: unknown): boolean =>
  isFields(downward) &&
  Array.isArray(downward["items"]) &&
  downward["items"].every((item) => isFields(item) && isFixed(item["fieldRef"]));

/** Whether something in the pod takes its value from fields of the pod that change, such as labels and annotations. */
function readsOwnFields(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(readsOwnFields);
  if (!isFields(value)) return false;
  return Object.entries(value).some(([name, item]) => {
    if (name === "downwardAPI") return !areFilesFixed(item);
    return name === "fieldRef" ? !isFixed(item) : readsOwnFields(item);
  });
}

function isPodSame(before: PodSubject, after: PodSubject): boolean {
  if (before.kind !== after.kind || before.name !== after.name) return false;
  if (!areSpecsEqual(before.spec, after.spec)) return false;
  const metadata = isEqual(before.labels, after.labels) && isEqual(before.annotations, after.annotations);
  return metadata || !readsOwnFields(after.spec);
}

/**
 * Whether an update leaves unchanged all fields through which files come into the pod, as scaling, status,
 * finalizers, tolerations and deletion do. An object under deletion is no exception by itself (CVE-2023-34091). Never
 * throws: a malformed object counts as changed.
 */
export function sameSkillInputs(before: KubernetesObject, after: KubernetesObject): boolean {
  try {
    const one = podOf(before, "");
    const other = podOf(after, "");
    return one !== undefined && other !== undefined && isPodSame(one, other);
  } catch (error) {
    if (error instanceof SourceError) return false;
    throw error;
  }
}
