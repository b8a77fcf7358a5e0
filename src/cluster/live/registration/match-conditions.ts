import type { Carrier, FieldPath } from "../../../workload/carriers/carriers.ts";

/** CEL condition for sending an object to the webhook; it may read `object`, `oldObject` and `request`. */
export interface MatchCondition {
  readonly name: string;
  readonly expression: string;
}

/**
 * Tests that a field exists, step by step: reading below a missing field is an error, which `failurePolicy: Fail`
 * refuses.
 */
const isThere = (version: "object" | "oldObject", field: FieldPath): string =>
  field.map((_, index) => `has(${[version, ...field.slice(0, index + 1)].join(".")})`).join(" && ");

const equal = (field: FieldPath): string => {
  const path = field.join(".");
  return `${isThere("oldObject", field)} && object.${path} == oldObject.${path}`;
};

/** Both versions have the field with the same content. */
const kept = (field: FieldPath): string => `${isThere("object", field)} && ${equal(field)}`;

/** Both versions have the same content, or neither has the field. */
const keptOrAbsent = (field: FieldPath): string =>
  `(${isThere("object", field)} ? ${equal(field)} : !(${isThere("oldObject", field)}))`;

const unchanged = ({ unchangedWhen: [first, ...others] }: Carrier): string =>
  [kept(first), ...others.map(keptOrAbsent)].join("\n    && ");

/**
 * Excludes updates that leave unchanged all fields through which skills enter, such as scaling, finalizers and
 * owners: they must work while no replica answers, or pods could not even terminate. Deletion is no exception by
 * itself (CVE-2023-34091). Kinds that are no carriers are reviewed.
 */
export function notTheSameTemplate(carriers: readonly Carrier[]): MatchCondition {
  const branches = [...Map.groupBy(carriers, unchanged)].map(
    ([expression, alike]) =>
      `object.kind in [${alike.map(({ kind }) => `'${kind}'`).join(", ")}] ? (${expression})`,
  );
  return {
    name: "not-the-same-template",
    expression: `request.operation == 'CREATE' || !(\n  ${[...branches, "false"].join("\n  : ")})`,
  };
}

const metadata = [
  ["metadata", "labels"],
  ["metadata", "annotations"],
] as const;

/** A `fieldRef` to labels or annotations: other fields that it can name are fixed. */
const readsMetadata = (fieldRef: string): string =>
  `${fieldRef}.fieldPath.startsWith('metadata.labels') || ${fieldRef}.fieldPath.startsWith('metadata.annotations')`;

/**
 * Whether an item of a list meets a test. A list may be missing, or be null: the API server writes a pod's empty
 * `projected.sources` so, and a condition that fails to evaluate is a denial.
 */
const some = (list: string, item: string, test: string): string =>
  `has(${list}) && ${list} != null && ${list}.exists(${item}, ${test})`;

const downwardReadsMetadata = (downwardAPI: string): string =>
  `has(${downwardAPI}) && ${some(`${downwardAPI}.items`, "i", `has(i.fieldRef) && (${readsMetadata("i.fieldRef")})`)}`;

const variableReadsMetadata = `has(e.valueFrom) && has(e.valueFrom.fieldRef) && (${readsMetadata("e.valueFrom.fieldRef")})`;

/** Whether variables or files of the pod are labels or annotations. */
const readsOwnMetadata = [
  ...["containers", "initContainers", "ephemeralContainers"].map(
    (list) => `(${some(`object.spec.${list}`, "c", some("c.env", "e", variableReadsMetadata))})`,
  ),
  `(${some(
    "object.spec.volumes",
    "v",
    `(${downwardReadsMetadata("v.downwardAPI")})
      || has(v.projected) && ${some("v.projected.sources", "s", downwardReadsMetadata("s.downwardAPI"))}`,
  )})`,
].join("\n    || ");

/** Both versions have the label with the same value, or neither has it. */
const sameLabel = (version: string): string =>
  `has(${version}.metadata.labels) && k in ${version}.metadata.labels ? [${version}.metadata.labels[k]] : []`;

/**
 * Excludes updates of pods that bring nothing in: those that leave alone what files come in by, and every label and
 * annotation that this reads. A pod whose skill was revoked can so be labelled for quarantine, also while no replica
 * answers. An ended pod reads nothing again.
 * @param closingLabels keys of labels by which policies close pods: whatever brings a pod under one is reviewed
 */
export const notOnlyMetadata = (pods: Carrier, closingLabels: readonly string[]): MatchCondition => ({
  name: "not-only-metadata",
  expression: `request.operation == 'CREATE' || !(
  ${unchanged(pods)}
    && (${metadata.map(keptOrAbsent).join(" && ")}
    || has(oldObject.status) && has(oldObject.status.phase) && oldObject.status.phase in ['Succeeded', 'Failed']
    || ${closingLabels.length === 0 ? "" : `${JSON.stringify(closingLabels)}.all(k, (${sameLabel("object")}) == (${sameLabel("oldObject")}))\n    && `}!(${readsOwnMetadata})))`,
});

/** Excludes what kubelets show of static pods: these run already, and a denial would hide them from all who look for pods. */
export const notAMirrorPod: MatchCondition = {
  name: "not-a-mirror-pod",
  expression: `!(request.operation == 'CREATE' && has(object.metadata.annotations)
  && 'kubernetes.io/config.mirror' in object.metadata.annotations
  && has(request.userInfo.groups) && 'system:nodes' in request.userInfo.groups)`,
};

/**
 * Excludes updates of ConfigMaps that leave their files alone: renewed leader locks of every client, finalizers, labels.
 * The last finalizer of an immutable one that is being deleted sets its name free, which is reviewed.
 */
export const notTheSameFiles: MatchCondition = {
  name: "not-the-same-files",
  expression: `request.operation == 'CREATE' || !(
  ${[["data"], ["binaryData"], ["immutable"]].map(keptOrAbsent).join("\n    && ")})
  || has(object.immutable) && object.immutable && has(object.metadata.deletionTimestamp)
    && (!has(object.metadata.finalizers) || size(object.metadata.finalizers) == 0)`,
};

/**
 * Excludes the cluster's CA, which the controller manager publishes into every namespace and which must not wait
 * for the webhook. The name alone would be a bypass: a tenant can put anything into a ConfigMap of that name.
 */
export const notTheClusterCa: MatchCondition = {
  name: "not-the-cluster-ca",
  expression: `!(object.metadata.name == 'kube-root-ca.crt' && request.userInfo.username in
  ['system:serviceaccount:kube-system:root-ca-cert-publisher', 'system:kube-controller-manager'])`,
};

/** Nodes keep immutable ConfigMaps after their deletion; all others they follow. */
export const immutableOnly: MatchCondition = {
  name: "immutable-only",
  expression: "has(oldObject.immutable) && oldObject.immutable",
};

/** Excludes what goes with its namespace: nothing new can be made there, and the namespace must not wait for the webhook. */
export const notTheNamespaceController: MatchCondition = {
  name: "not-the-namespace-controller",
  expression: "request.userInfo.username != 'system:serviceaccount:kube-system:namespace-controller'",
};
