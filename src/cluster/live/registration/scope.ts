import type { LabelSelector, Requirement } from "../../../kubernetes/label-selector.ts";
import { selectionOf, type Selection } from "../../../kubernetes/selection.ts";
import { defined } from "../../../text/fields.ts";
import { breakGlassLabel } from "../api/break-glass.ts";

/** The label of each namespace that the API server sets to its name. */
const nameLabel = "kubernetes.io/metadata.name";

/** Selects one namespace. */
export const onlyNamed = (name: string): LabelSelector => ({ matchLabels: { [nameLabel]: name } });

/** Annotation of the registration that tells its scope, also while it has no webhooks. */
export const scopeAnnotation = "skill-admission.dev/scope";

/** What the installation leaves out, whatever policies select. */
export interface Scope {
  /** The controller's own namespace; absent outside a cluster. */
  readonly controllerNamespace?: string;
  /** Namespaces without reviews, besides the controller's own; default kube-system and kube-node-lease. */
  readonly exemptNamespaces?: readonly string[];
  /** Only these namespaces; default all. */
  readonly namespaceSelector?: LabelSelector;
}

/** kube-system starts before the webhook can: reviews of it could keep a cluster from starting. */
export const alwaysExempt = ["kube-system", "kube-node-lease"];

/** Names of namespaces without reviews. */
export const exemptNamespaces = ({
  controllerNamespace,
  exemptNamespaces: named = alwaysExempt,
}: Scope): readonly string[] =>
  [...new Set([...(controllerNamespace === undefined ? [] : [controllerNamespace]), ...named])].sort();

/** The namespaces that may be asked about; undefined if there can be none. */
export function scopeOf(scope: Scope): Selection | undefined {
  const names = exemptNamespaces(scope);
  const { matchLabels, matchExpressions = [] } = scope.namespaceSelector ?? {};
  const exempting: readonly Requirement[] = [
    ...(names.length === 0 ? [] : [{ key: nameLabel, operator: "NotIn" as const, values: names }]),
    { key: breakGlassLabel, operator: "DoesNotExist" },
  ];
  return selectionOf({ ...defined({ matchLabels }), matchExpressions: [...matchExpressions, ...exempting] });
}
