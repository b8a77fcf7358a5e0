/** A Kubernetes object as it came: nothing about it is known but that it is a JSON object. */
export interface KubernetesObject {
  readonly apiVersion?: unknown;
  readonly kind?: unknown;
  readonly metadata?: unknown;
  readonly [field: string]: unknown;
}
