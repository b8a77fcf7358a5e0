/** A field of an object, by its path from the top. */
export type FieldPath = readonly string[];

/** A kind of object that is a pod, or that makes pods from a template. */
export interface Carrier {
  /** API group; any version of it is read: an unknown version is no way round. */
  readonly group: "" | "apps" | "batch";
  readonly kind: string;
  /** Plural name, as in rules, URLs and metrics. */
  readonly resource: string;
  /** Where the pod or its template stands; empty: the object is the pod. */
  readonly podPath: FieldPath;
  /** May the template be missing: such an object makes no pods. */
  readonly optional?: true;
  /**
   * Fields that bring in all that can be a skill: an update that leaves them as they were is not asked about. The first must be
   * there for that, the others may be missing before and after.
   */
  readonly unchangedWhen: readonly [FieldPath, ...(readonly FieldPath[])];
  /** Is it the controller of pods, or of what makes them: Events about a denied pod are put on it. */
  readonly ownsPods: boolean;
}

const template = ["spec", "template"] as const;
const jobTemplate = ["spec", "jobTemplate"] as const;

/** Every kind that is registered, read, counted and told of; whatever lists them is made from this. */
export const carriers = [
  {
    group: "",
    kind: "Pod",
    resource: "pods",
    podPath: [],
    unchangedWhen: [["spec"], ["metadata", "labels"], ["metadata", "annotations"]],
    ownsPods: false,
  },
  {
    group: "",
    kind: "PodTemplate",
    resource: "podtemplates",
    podPath: ["template"],
    unchangedWhen: [["template"]],
    ownsPods: false,
  },
  {
    group: "",
    kind: "ReplicationController",
    resource: "replicationcontrollers",
    podPath: template,
    optional: true,
    unchangedWhen: [template],
    ownsPods: true,
  },
  {
    group: "apps",
    kind: "Deployment",
    resource: "deployments",
    podPath: template,
    unchangedWhen: [template],
    ownsPods: true,
  },
  {
    group: "apps",
    kind: "ReplicaSet",
    resource: "replicasets",
    podPath: template,
    unchangedWhen: [template],
    ownsPods: true,
  },
  {
    group: "apps",
    kind: "StatefulSet",
    resource: "statefulsets",
    podPath: template,
    unchangedWhen: [template, ["spec", "volumeClaimTemplates"]],
    ownsPods: true,
  },
  {
    group: "apps",
    kind: "DaemonSet",
    resource: "daemonsets",
    podPath: template,
    unchangedWhen: [template],
    ownsPods: true,
  },
  {
    group: "batch",
    kind: "Job",
    resource: "jobs",
    podPath: template,
    unchangedWhen: [template],
    ownsPods: true,
  },
  {
    group: "batch",
    kind: "CronJob",
    resource: "cronjobs",
    podPath: [...jobTemplate, "spec", "template"],
    unchangedWhen: [jobTemplate],
    ownsPods: true,
  },
] as const satisfies readonly Carrier[];

export type CarrierResource = (typeof carriers)[number]["resource"];

const byKind: ReadonlyMap<string, Carrier> = new Map(carriers.map((carrier) => [carrier.kind, carrier]));

/** The carrier of this kind in this API version, `group/version` or `v1`; undefined where the two are none. */
export function carrierOf(apiVersion: unknown, kind: unknown): Carrier | undefined {
  if (typeof kind !== "string" || typeof apiVersion !== "string") return undefined;
  const carrier = byKind.get(kind);
  const slash = apiVersion.indexOf("/");
  return carrier?.group === (slash === -1 ? "" : apiVersion.slice(0, slash)) ? carrier : undefined;
}
