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
export function notUnchanged(carriers: readonly Carrier[]): string {
  const branches = [...Map.groupBy(carriers, unchanged)].map(
    ([expression, alike]) =>
      `object.kind in [${alike.map(({ kind }) => `'${kind}'`).join(", ")}] ? (${expression})`,
  );
  return `request.operation == 'CREATE' || !(\n  ${[...branches, "false"].join("\n  : ")})`;
}

/**
 * Excludes leader locks of old clients: ConfigMaps that are renewed every two seconds and whose loss stops
 * controllers. A lock is an annotation, which cannot be mounted; a ConfigMap that holds files, or held some before,
 * is reviewed whatever its annotations.
 */
export const notALeaderLock: MatchCondition = {
  name: "not-a-leader-lock",
  expression: `!(has(object.metadata.annotations)
  && 'control-plane.alpha.kubernetes.io/leader' in object.metadata.annotations
  && !has(object.data) && !has(object.binaryData)
  && (oldObject == null || (!has(oldObject.data) && !has(oldObject.binaryData))))`,
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
