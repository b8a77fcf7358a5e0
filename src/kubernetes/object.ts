import { isFields, type Fields } from "../text/fields.ts";

/** A Kubernetes object as received: a JSON object, not yet validated. */
export interface KubernetesObject {
  readonly apiVersion?: unknown;
  readonly kind?: unknown;
  readonly metadata?: unknown;
  readonly [field: string]: unknown;
}

export type Labels = Readonly<Record<string, string>>;

/** `metadata`; empty where it is missing or no object. */
export const metadataOf = ({ metadata }: KubernetesObject): Fields => (isFields(metadata) ? metadata : {});

function textIn(object: KubernetesObject, field: string): string {
  const value = metadataOf(object)[field];
  return typeof value === "string" ? value : "";
}

/** `metadata.name`; empty where it is missing or no text. */
export const nameOf = (object: KubernetesObject): string => textIn(object, "name");

/** `metadata.uid`; empty where it is missing or no text. */
export const uidOf = (object: KubernetesObject): string => textIn(object, "uid");

/** `metadata.creationTimestamp`, to the second; undefined where it is missing or no text. */
export const createdAtOf = (object: KubernetesObject): string | undefined =>
  textIn(object, "creationTimestamp") || undefined;

/** `metadata.namespace`; `otherwise` where it is missing, empty or no text. */
export const namespaceOf = (object: KubernetesObject, otherwise: string): string =>
  textIn(object, "namespace") || otherwise;

/** `metadata.labels` of an object from the API server, which has checked that they are text. */
export const labelsOf = (object: KubernetesObject): Labels =>
  (metadataOf(object)["labels"] as Labels | undefined) ?? {};

/** `metadata.annotations` of an object from the API server, which has checked that they are text. */
export const annotationsOf = (object: KubernetesObject): Readonly<Record<string, string>> =>
  (metadataOf(object)["annotations"] as Readonly<Record<string, string>> | undefined) ?? {};

/** `metadata.generation`: the API server counts changes of `spec` there. Undefined where it is missing or no number. */
export function generationOf(object: KubernetesObject): number | undefined {
  const { generation } = metadataOf(object);
  return typeof generation === "number" ? generation : undefined;
}
