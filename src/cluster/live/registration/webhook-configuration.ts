import type { KubernetesObject } from "../../../kubernetes/object.ts";
import { carriers, type Carrier } from "../../../workload/carriers/carriers.ts";
import { breakGlassLabel } from "../api/break-glass.ts";
import {
  immutableOnly,
  notAMirrorPod,
  notOnlyMetadata,
  notTheClusterCa,
  notTheNamespaceController,
  notTheSameFiles,
  notTheSameTemplate,
  type MatchCondition,
} from "./match-conditions.ts";

/** Name of the only ValidatingWebhookConfiguration. */
export const webhookConfigurationName = "skill-admission";

/** Address of the webhook for the API server. */
export type WebhookAddress =
  | { readonly service: { readonly namespace: string; readonly name: string; readonly port: number } }
  /** `https://HOST:PORT`: development outside a cluster. */
  | { readonly url: string };

/** Input of the configuration. */
export interface WebhookOptions {
  readonly address: WebhookAddress;
  /** PEM; the serving certificate chains to one of these. Empty: the API server's system roots. */
  readonly caBundle: string;
  /** The controller's own namespace; absent outside a cluster. */
  readonly controllerNamespace?: string;
  /** Seconds that the API server waits; default 5. */
  readonly timeoutSeconds?: number;
  /**
   * Namespace of the installation, as owner: Kubernetes' garbage collector deletes the registration with it, and
   * none remains that points to a deleted Service.
   */
  readonly owner?: { readonly name: string; readonly uid: string };
  /** Namespaces without reviews, besides the controller's own; default kube-system and kube-node-lease. */
  readonly exemptNamespaces?: readonly string[];
  /** `failurePolicy` of the webhook for bindings of pods to nodes; absent: no policy reviews them, and none is registered. */
  readonly bindings?: "Fail" | "Ignore";
  /** Keys of the labels by which policies close pods. */
  readonly closingLabels?: readonly string[];
}

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly operations: readonly ("CREATE" | "UPDATE" | "DELETE")[];
}

interface Webhook {
  readonly name: string;
  readonly failurePolicy: "Fail" | "Ignore";
  readonly rules: readonly Rule[];
  readonly matchConditions: readonly MatchCondition[];
}

const written = ["CREATE", "UPDATE"] as const;

const [pods, ...controllers] = carriers;

/** Rules, one for each API group. */
const rulesFor = (kinds: readonly Carrier[]): readonly Rule[] =>
  [...Map.groupBy(kinds, ({ group }) => group)].map(([group, ofGroup]) => ({
    apiGroups: [group],
    resources: ofGroup.map(({ resource }) => resource),
    operations: written,
  }));

const webhooksAlways = (closingLabels: readonly string[]): readonly Webhook[] => [
  {
    name: "pods.skill-admission.dev",
    failurePolicy: "Fail",
    rules: [
      ...rulesFor([pods]),
      { apiGroups: [""], resources: ["pods/ephemeralcontainers"], operations: ["UPDATE"] },
    ],
    matchConditions: [notOnlyMetadata(pods, closingLabels), notAMirrorPod],
  },
  {
    name: "controllers.skill-admission.dev",
    failurePolicy: "Fail",
    rules: rulesFor(controllers),
    matchConditions: [notTheSameTemplate(controllers)],
  },
  {
    name: "configmaps.skill-admission.dev",
    failurePolicy: "Fail",
    rules: [{ apiGroups: [""], resources: ["configmaps"], operations: written }],
    matchConditions: [notTheSameFiles, notTheClusterCa],
  },
  {
    name: "deletions.skill-admission.dev",
    failurePolicy: "Fail",
    rules: [{ apiGroups: [""], resources: ["configmaps"], operations: ["DELETE"] }],
    matchConditions: [immutableOnly, notTheNamespaceController],
  },
];

/** Both ways to bind a pod: `bindings` is the older one. No other write sets the node of a stored pod. */
const bindingWebhook = (failurePolicy: Webhook["failurePolicy"]): Webhook => ({
  name: "bindings.skill-admission.dev",
  failurePolicy,
  rules: [{ apiGroups: [""], resources: ["pods/binding", "bindings"], operations: ["CREATE"] }],
  matchConditions: [],
});

const webhooksFor = ({ bindings, closingLabels = [] }: WebhookOptions): readonly Webhook[] => [
  ...webhooksAlways(closingLabels),
  ...(bindings === undefined ? [] : [bindingWebhook(bindings)]),
];

/** kube-system starts before the webhook can: reviews of it could keep a cluster from starting. */
const defaultExempt = ["kube-system", "kube-node-lease"];

/** Names of namespaces without reviews. */
export const exemptNamespaces = ({
  controllerNamespace,
  exemptNamespaces: named = defaultExempt,
}: Pick<WebhookOptions, "controllerNamespace" | "exemptNamespaces">): readonly string[] =>
  [...new Set([...(controllerNamespace === undefined ? [] : [controllerNamespace]), ...named])].sort();

const path = "/validate";

function clientConfig({ address, caBundle }: WebhookOptions): object {
  const trust = caBundle === "" ? {} : { caBundle: Buffer.from(caBundle, "utf8").toString("base64") };
  if ("url" in address) return { ...trust, url: `${address.url.replace(/\/+$/, "")}${path}` };
  return { ...trust, service: { ...address.service, path } };
}

const exempting = (names: readonly string[]): readonly object[] => [
  ...(names.length === 0 ? [] : [{ key: "kubernetes.io/metadata.name", operator: "NotIn", values: names }]),
  { key: breakGlassLabel, operator: "DoesNotExist" },
];

/**
 * The ValidatingWebhookConfiguration. Fields with API server defaults are explicit, so that the registered object
 * can be compared.
 *
 * - Exempt are the controller's own namespace (its pods must start while no replica answers), kube-system and
 *   kube-node-lease, selected by `kubernetes.io/metadata.name`, which the API server sets; and namespaces with the
 *   break-glass label.
 * - Every ConfigMap of other namespaces is reviewed whose files are new or change, whatever the policies; one that no
 *   pod under a policy mounts is admitted by the first check. Of deletions, those of immutable ones are.
 * - Bindings of pods are reviewed only while some policy says so; while no such policy enforces, one that cannot be
 *   reviewed goes through.
 * - `sideEffects: NoneOnDryRun`: a review may write Events, but none for a dry run.
 * - API versions are the stable ones; `matchPolicy: Equivalent` covers the others.
 */
export function webhookConfiguration(options: WebhookOptions): KubernetesObject {
  return {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingWebhookConfiguration",
    metadata: {
      name: webhookConfigurationName,
      labels: {
        "app.kubernetes.io/name": "skill-admission",
        "app.kubernetes.io/managed-by": "skill-admission",
      },
      // Prevents Azure's admissions enforcer from adding its own namespaceSelector, which drift repair would
      // remove, endlessly. It protects kube-system, which is exempt anyway.
      annotations: { "admissions.enforcer/disabled": "true" },
      ...(options.owner === undefined
        ? {}
        : { ownerReferences: [{ apiVersion: "v1", kind: "Namespace", ...options.owner }] }),
    },
    webhooks: webhooksFor(options).map(({ name, failurePolicy, rules, matchConditions }) => ({
      name,
      admissionReviewVersions: ["v1"],
      clientConfig: clientConfig(options),
      failurePolicy,
      matchPolicy: "Equivalent",
      sideEffects: "NoneOnDryRun",
      timeoutSeconds: options.timeoutSeconds ?? 5,
      namespaceSelector: { matchExpressions: exempting(exemptNamespaces(options)) },
      objectSelector: {},
      rules: rules.map((rule) => ({ ...rule, apiVersions: ["v1"], scope: "Namespaced" })),
      // The API server leaves an empty list out.
      ...(matchConditions.length === 0 ? {} : { matchConditions }),
    })),
  };
}
