/** Path of a field from the object's top. */
export type FieldPath = readonly string[];

/** A kind of object that is a pod, or that makes pods from a template. */
export interface Carrier {
  /** API group. Every version of it is read: an unknown version must not bypass the review. */
  readonly group: "" | "apps" | "batch";
  readonly kind: string;
  /** Plural name, as in rules, URLs and metrics. */
  readonly resource: string;
  /** Path of the pod or its template; empty: the object is the pod. */
  readonly podPath: FieldPath;
  /** The template may be missing: the object then makes no pods. */
  readonly optional?: true;
  /**
   * Fields through which skills enter: an update that leaves them unchanged is not sent for review. The first must be
   * there; the others may be absent before and after.
   */
  readonly unchangedWhen: readonly [FieldPath, ...(readonly FieldPath[])];
  /** Whether it controls pods, directly or through others: Events about a denied pod are recorded on it. */
  readonly ownsPods: boolean;
}

const template = ["spec", "template"] as const;
const jobTemplate = ["spec", "jobTemplate"] as const;

/** Every reviewed kind: registration, reading, metrics and Events derive from this table. */
export const carriers = [
  {
    group: "",
    kind: "Pod",
    resource: "pods",
    podPath: [],
    // No update changes another field of a pod's spec that files come in by. Its labels and annotations, which may be
    // read by these, are looked at by the registration.
    unchangedWhen: [
      ["spec", "containers"],
      ["spec", "initContainers"],
      ["spec", "ephemeralContainers"],
      ["spec", "volumes"],
    ],
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

/** Kinds of one name in two groups are two kinds. */
const byGroupAndKind: ReadonlyMap<string, Carrier> = new Map(
  carriers.map((carrier) => [`${carrier.group}/${carrier.kind}`, carrier]),
);

/** The carrier of a kind in an API version, `apps/v1` or `v1`; undefined if there is none. */
export function carrierOf(apiVersion: unknown, kind: unknown): Carrier | undefined {
  if (typeof kind !== "string" || typeof apiVersion !== "string") return undefined;
  const slash = apiVersion.indexOf("/");
  return byGroupAndKind.get(`${slash === -1 ? "" : apiVersion.slice(0, slash)}/${kind}`);
}
