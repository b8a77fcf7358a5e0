import type { KubernetesObject } from "../../../kubernetes/object.ts";
import { selectionOf, selectorOf, type Selection } from "../../../kubernetes/selection.ts";
import { coverageOf, type Governed } from "../../../policy/coverage.ts";
import { bindingQuestion, questions, selfQuestion, type Question } from "./questions.ts";
import { annotationOf } from "./registered-scope.ts";
import { onlyNamed, scopeAnnotation, scopeOf, type Scope } from "./scope.ts";

/** Name of the only ValidatingWebhookConfiguration. */
export const webhookConfigurationName = "skill-admission";

/** Address of the webhook for the API server. */
export type WebhookAddress =
  | { readonly service: { readonly namespace: string; readonly name: string; readonly port: number } }
  /** `https://HOST:PORT`: development outside a cluster. */
  | { readonly url: string };

/** Input of the configuration. */
export interface WebhookOptions extends Scope {
  readonly address: WebhookAddress;
  /** PEM; the serving certificate chains to one of these. Empty: the API server's system roots. */
  readonly caBundle: string;
  /** Seconds that the API server waits where policies enforce; default 5. */
  readonly timeoutSeconds?: number;
  /** What becomes of an object while no replica answers, where policies enforce; default Fail. */
  readonly failurePolicy?: FailurePolicy;
  /**
   * Namespace of the installation, as owner: Kubernetes' garbage collector deletes the registration with it, and
   * none remains that points to a deleted Service.
   */
  readonly owner?: { readonly name: string; readonly uid: string };
  /** The namespaces that policies govern. */
  readonly governed: Governed;
  /** The namespaces of policies that review bindings of pods to nodes. */
  readonly bindings: Governed;
  /** Namespace of the Lease by which the controller sees that it is asked; absent: it does not look. */
  readonly selfCheckIn?: string;
  /** Keys of the labels by which policies close pods. */
  readonly closingLabels?: readonly string[];
}

/** `failurePolicy` of a webhook. */
export type FailurePolicy = "Fail" | "Ignore";

/** Some namespaces, and how the API server is to ask about them. */
interface Entry {
  /** Between the first part of the name and the domain. */
  readonly suffix: string;
  readonly failurePolicy: FailurePolicy;
  readonly timeoutSeconds: number;
  readonly selection: Selection;
}

const numbered = (word: string, index: number): string => `${word}${index === 0 ? "" : `-${index + 1}`}`;

/** Seconds that the API server waits where no policy enforces: whoever writes there never waits longer for a review. */
const observedTimeout = 1;

/** The entries for what is governed: enforced ones as the installation says, observed ones in nobody's way. */
function entriesFor(governed: Governed, options: WebhookOptions): readonly Entry[] {
  const scope = scopeOf(options);
  if (scope === undefined) return [];
  const { enforced, observed } = coverageOf(governed, scope);
  return [
    ...enforced.map((selection, index) => ({
      suffix: numbered("", index),
      failurePolicy: options.failurePolicy ?? "Fail",
      timeoutSeconds: options.timeoutSeconds ?? 5,
      selection,
    })),
    ...observed.map((selection, index) => ({
      suffix: numbered("-observe", index),
      failurePolicy: "Ignore" as const,
      timeoutSeconds: observedTimeout,
      selection,
    })),
  ];
}

const path = "/validate";

function clientConfig({ address, caBundle }: WebhookOptions): object {
  const trust = caBundle === "" ? {} : { caBundle: Buffer.from(caBundle, "utf8").toString("base64") };
  if ("url" in address) return { ...trust, url: `${address.url.replace(/\/+$/, "")}${path}` };
  return { ...trust, service: { ...address.service, path } };
}

const webhookOf = (
  { name, rules, matchConditions }: Question,
  { suffix, selection, failurePolicy, timeoutSeconds }: Entry,
  options: WebhookOptions,
): object => ({
  name: `${name}${suffix}.skill-admission.dev`,
  admissionReviewVersions: ["v1"],
  clientConfig: clientConfig(options),
  failurePolicy,
  matchPolicy: "Equivalent",
  sideEffects: "NoneOnDryRun",
  timeoutSeconds,
  namespaceSelector: selectorOf(selection),
  objectSelector: {},
  rules: rules.map((rule) => ({ ...rule, apiVersions: ["v1"], scope: "Namespaced" })),
  // The API server leaves an empty list out.
  ...(matchConditions.length === 0 ? {} : { matchConditions }),
});

/**
 * The ValidatingWebhookConfiguration. Fields with API server defaults are explicit, so that the registered object
 * can be compared.
 *
 * - It asks about the namespaces that policies govern, and about each object once: where a policy enforces, an object
 *   that cannot be reviewed is refused; elsewhere it goes through, a second later at most. Without policies it has no
 *   webhooks.
 * - Exempt are the controller's own namespace (its pods must start while no replica answers), kube-system and
 *   kube-node-lease, selected by `kubernetes.io/metadata.name`, which the API server sets; namespaces with the
 *   break-glass label; and what the installation's own selector leaves out.
 * - There every ConfigMap is reviewed whose files are new or change; one that no pod under a policy mounts is admitted
 *   by the first check. Of deletions, those of immutable ones are.
 * - Bindings of pods are reviewed where a policy says so.
 * - `sideEffects: NoneOnDryRun`: a review may write Events, but none for a dry run.
 * - API versions are the stable ones; `matchPolicy: Equivalent` covers the others.
 */
export function webhookConfiguration(options: WebhookOptions): KubernetesObject {
  const asked = (some: readonly Question[], governed: Governed): readonly object[] =>
    entriesFor(governed, options).flatMap((entry) => some.map((one) => webhookOf(one, entry, options)));
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
      annotations: { "admissions.enforcer/disabled": "true", [scopeAnnotation]: annotationOf(options) },
      ...(options.owner === undefined
        ? {}
        : { ownerReferences: [{ apiVersion: "v1", kind: "Namespace", ...options.owner }] }),
    },
    webhooks: withSelfCheck(options, [
      ...asked(questions(options.closingLabels ?? []), options.governed),
      ...asked([bindingQuestion], options.bindings),
    ]),
  };
}

/** One that fails under the same address as the others tells why they do. */
function withSelfCheck(options: WebhookOptions, webhooks: readonly object[]): readonly object[] {
  const { selfCheckIn, timeoutSeconds = 5 } = options;
  const selection = selfCheckIn === undefined ? undefined : selectionOf(onlyNamed(selfCheckIn));
  if (webhooks.length === 0 || selection === undefined) return webhooks;
  const entry: Entry = { suffix: "", failurePolicy: "Fail", timeoutSeconds, selection };
  return [...webhooks, webhookOf(selfQuestion, entry, options)];
}
