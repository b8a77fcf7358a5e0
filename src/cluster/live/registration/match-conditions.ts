import type { Carrier, FieldPath } from "../../../workload/carriers/carriers.ts";

/** A condition in CEL under which the API server asks the webhook; it may read `object`, `oldObject` and `request` only. */
export interface MatchCondition {
  readonly name: string;
  readonly expression: string;
}

/** Is a field there: each step is asked for, since reading below a missing field fails, which `failurePolicy: Fail` refuses. */
const isThere = (version: "object" | "oldObject", field: FieldPath): string =>
  field.map((_, index) => `has(${[version, ...field.slice(0, index + 1)].join(".")})`).join(" && ");

const equal = (field: FieldPath): string => {
  const path = field.join(".");
  return `${isThere("oldObject", field)} && object.${path} == oldObject.${path}`;
};

/** Both versions have the field, with the same content. */
const kept = (field: FieldPath): string => `${isThere("object", field)} && ${equal(field)}`;

/** The same, or neither version has the field. */
const keptOrAbsent = (field: FieldPath): string =>
  `(${isThere("object", field)} ? ${equal(field)} : !(${isThere("oldObject", field)}))`;

const unchanged = ({ unchangedWhen: [first, ...others] }: Carrier): string =>
  [kept(first), ...others.map(keptOrAbsent)].join("\n    && ");

/**
 * Updates that leave alone all through which a carrier brings skills in, such as scaling, finalizers and owners: they must go
 * through while no replica answers, or pods could not even end. Deletion is no exception by itself (CVE-2023-34091). A kind
 * that is none of these carriers is asked about.
 */
export function notUnchanged(carriers: readonly Carrier[]): string {
  const branches = [...Map.groupBy(carriers, unchanged)].map(
    ([expression, alike]) =>
      `object.kind in [${alike.map(({ kind }) => `'${kind}'`).join(", ")}] ? (${expression})`,
  );
  return `request.operation == 'CREATE' || !(\n  ${[...branches, "false"].join("\n  : ")})`;
}

/**
 * Leader locks of old clients are ConfigMaps that are renewed every other second and whose loss stops controllers.
 * A lock lives in an annotation, and annotations cannot be mounted from a ConfigMap; one that holds files, or held
 * some until now, is reviewed, whatever it is annotated with.
 */
export const notALeaderLock: MatchCondition = {
  name: "not-a-leader-lock",
  expression: `!(has(object.metadata.annotations)
  && 'control-plane.alpha.kubernetes.io/leader' in object.metadata.annotations
  && !has(object.data) && !has(object.binaryData)
  && (oldObject == null || (!has(oldObject.data) && !has(oldObject.binaryData))))`,
};

/**
 * The cluster's CA is published into every namespace by the controller manager, which must not wait for the webhook. The name
 * alone would be a way in: a tenant can put anything into a ConfigMap of that name and mount it.
 */
export const notTheClusterCa: MatchCondition = {
  name: "not-the-cluster-ca",
  expression: `!(object.metadata.name == 'kube-root-ca.crt' && request.userInfo.username in
  ['system:serviceaccount:kube-system:root-ca-cert-publisher', 'system:kube-controller-manager'])`,
};
