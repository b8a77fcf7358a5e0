import type { KubernetesObject } from "../../../kubernetes/object.ts";
import { isFields } from "../../../text/fields.ts";

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

const nameLabel = "kubernetes.io/metadata.name";

/** The namespaces that one webhook is not asked about, by name. */
function exemptIn(webhook: unknown): readonly string[] {
  const selector = isFields(webhook) ? webhook["namespaceSelector"] : undefined;
  return listOf(isFields(selector) ? selector["matchExpressions"] : undefined).flatMap((requirement) =>
    isFields(requirement) && requirement["key"] === nameLabel && requirement["operator"] === "NotIn"
      ? listOf(requirement["values"]).filter((name) => typeof name === "string")
      : [],
  );
}

/**
 * The namespaces that no webhook of a registration is asked about, by their names.
 * @returns undefined if it has no webhooks
 */
export function registeredExemptions(registration: KubernetesObject): readonly string[] | undefined {
  const [first, ...others] = listOf(registration["webhooks"]).map((webhook) => new Set(exemptIn(webhook)));
  return first && [...first].filter((name) => others.every((names) => names.has(name)));
}
