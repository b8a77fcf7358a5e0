/**
 * The pod that an object is, or would create: a Pod itself, or the template of a Deployment, CronJob, …. `spec` is
 * not yet validated.
 */
export interface PodSubject {
  /** Kind of the reviewed object, `Pod`, `Deployment`, …. */
  readonly kind: string;
  readonly namespace: string;
  /** Name of the reviewed object; for a pod without one, its `generateName` followed by `*`. */
  readonly name: string;
  /** Whether the object is a pod itself. */
  readonly isPod: boolean;
  /** `metadata.creationTimestamp` of a pod that the API server knows, to the second. */
  readonly createdAt?: string;
  /** Path of the pod's spec in the object, `spec`, `spec.template.spec`, …, for messages. */
  readonly field: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: Readonly<Record<string, unknown>>;
  /** Images by container before the update under review: the pod keeps what they wrote. Absent: there is no such update. */
  readonly imagesBefore?: ReadonlyMap<string, string>;
}

/** Fields of a pod's spec that decide which files its containers see, each with all that is in it. */
export const walkedFields = [
  "volumes",
  "initContainers",
  "containers",
  "ephemeralContainers",
  "securityContext",
  "hostPID",
  "shareProcessNamespace",
] as const;

/** All of a pod that decides which files its containers see. A walk gets nothing else: `walkKey` must hold it. */
export interface WalkedPod extends Pick<
  PodSubject,
  "namespace" | "name" | "isPod" | "field" | "imagesBefore"
> {
  readonly spec: { readonly [field in (typeof walkedFields)[number]]?: unknown };
}
