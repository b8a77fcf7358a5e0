/**
 * The pod that an object is, or would create: a Pod itself, or the template of a Deployment, CronJob, ….
 * `spec` and `metadata` are as they came, still unchecked.
 */
export interface PodSubject {
  /** Kind of the object that was reviewed, `Pod`, `Deployment`, …. */
  readonly kind: string;
  readonly namespace: string;
  /** Name of that object; of a pod that has none yet, its `generateName` with `*` behind it. */
  readonly name: string;
  /** Is it a pod, rather than something that makes pods later. */
  readonly isPod: boolean;
  /** Where the pod's spec stands in the object, `spec`, `spec.template.spec`, …: for messages. */
  readonly field: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: Readonly<Record<string, unknown>>;
}
