import type { KubernetesObject } from "../../../kubernetes/object.ts";
import { carriers, type Carrier } from "../../../workload/carriers/carriers.ts";
import { breakGlassLabel } from "../api/break-glass.ts";
import { notALeaderLock, notTheClusterCa, notUnchanged, type MatchCondition } from "./match-conditions.ts";

/** Name of the one ValidatingWebhookConfiguration. */
export const webhookConfigurationName = "skill-admission";

/** How the API server reaches the webhook. */
export type WebhookAddress =
  | { readonly service: { readonly namespace: string; readonly name: string; readonly port: number } }
  /** `https://HOST:PORT`: development beside a cluster. */
  | { readonly url: string };

/** What the configuration is made from. */
export interface WebhookOptions {
  readonly address: WebhookAddress;
  /** PEM certificates, one of which the serving certificate chains to; empty: what the API server's system trusts. */
  readonly caBundle: string;
  /** The controller's own namespace; absent beside a cluster. */
  readonly controllerNamespace?: string;
  /** Seconds that the API server waits; default 5. */
  readonly timeoutSeconds?: number;
  /**
   * The Namespace that the installation lives in. Whoever deletes it takes the registration away with it: Kubernetes'
   * garbage collector does, and nothing stays that points at a Service which is gone.
   */
  readonly owner?: { readonly name: string; readonly uid: string };
  /** Namespaces that are never asked about, beside the controller's own; default kube-system and kube-node-lease. */
  readonly exemptNamespaces?: readonly string[];
}

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly operations: readonly ("CREATE" | "UPDATE")[];
}

interface Webhook {
  readonly name: string;
  readonly rules: readonly Rule[];
  readonly matchConditions: readonly MatchCondition[];
}

const written = ["CREATE", "UPDATE"] as const;

const [pods, ...controllers] = carriers;

/** One rule for each API group. */
const rulesFor = (kinds: readonly Carrier[]): readonly Rule[] =>
  [...Map.groupBy(kinds, ({ group }) => group)].map(([group, ofGroup]) => ({
    apiGroups: [group],
    resources: ofGroup.map(({ resource }) => resource),
    operations: written,
  }));

const webhooks: readonly Webhook[] = [
  {
    name: "pods.skill-admission.dev",
    rules: [
      ...rulesFor([pods]),
      { apiGroups: [""], resources: ["pods/ephemeralcontainers"], operations: ["UPDATE"] },
    ],
    matchConditions: [{ name: "not-only-metadata", expression: notUnchanged([pods]) }],
  },
  {
    name: "controllers.skill-admission.dev",
    rules: rulesFor(controllers),
    matchConditions: [{ name: "not-the-same-template", expression: notUnchanged(controllers) }],
  },
  {
    name: "configmaps.skill-admission.dev",
    rules: [{ apiGroups: [""], resources: ["configmaps"], operations: written }],
    matchConditions: [notALeaderLock, notTheClusterCa],
  },
];

/** kube-system starts before anything can answer here: asking about it could keep a cluster from coming up. */
const defaultExempt = ["kube-system", "kube-node-lease"];

/** Namespaces by name that the API server never asks about. */
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
 * The ValidatingWebhookConfiguration, with every field that the API server would default written out, so that what
 * comes back can be compared with it.
 *
 * - Exempt are the controller's own namespace (its pods must start while no replica answers), kube-system and
 *   kube-node-lease. They are selected by `kubernetes.io/metadata.name`, which nobody can change or take away. Exempt is
 *   also a namespace with the break-glass label.
 * - Every ConfigMap of the other namespaces is reviewed, whatever the policies: one that no governed pod mounts
 *   leaves by the first `if`.
 * - `sideEffects: NoneOnDryRun`: a review writes nothing into the cluster; the weaker promise leaves room for Events,
 *   which a dry run must never cause.
 * - The API versions are the stable ones; `matchPolicy: Equivalent` covers the others.
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
      // Azure's admissions enforcer adds a namespaceSelector of its own to whatever does not say this, and we would put
      // ours back for ever. What it is there for, kube-system, is exempt anyway.
      annotations: { "admissions.enforcer/disabled": "true" },
      ...(options.owner === undefined
        ? {}
        : { ownerReferences: [{ apiVersion: "v1", kind: "Namespace", ...options.owner }] }),
    },
    webhooks: webhooks.map(({ name, rules, matchConditions }) => ({
      name,
      admissionReviewVersions: ["v1"],
      clientConfig: clientConfig(options),
      failurePolicy: "Fail",
      matchPolicy: "Equivalent",
      sideEffects: "NoneOnDryRun",
      timeoutSeconds: options.timeoutSeconds ?? 5,
      namespaceSelector: { matchExpressions: exempting(exemptNamespaces(options)) },
      objectSelector: {},
      rules: rules.map((rule) => ({ ...rule, apiVersions: ["v1"], scope: "Namespaced" })),
      matchConditions,
    })),
  };
}
