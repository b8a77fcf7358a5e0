import { parseStrictJson, type Json } from "../../../text/json.ts";
import { z } from "zod";
import type { Labels, KubernetesObject } from "../../../kubernetes/object.ts";
import { annotationsOf } from "../../../kubernetes/object.ts";
import { selectorMatches } from "../../../kubernetes/label-selector.ts";
import { labelSelector } from "../../../policy/resource/schema/label-selector.ts";
import { exemptNamespaces, scopeAnnotation, type Scope } from "./scope.ts";

const annotated = z.strictObject({
  exemptNamespaces: z.array(z.string()),
  namespaceSelector: labelSelector.exactOptional(),
});

/** Where an installation reviews, as its registration tells. */
export interface RegisteredScope {
  readonly names: ReadonlySet<string>;
  /** Whether others with these labels may be asked about, but for break-glass. */
  readonly reviews: (labels: Labels) => boolean;
}

/** What is written into the registration, for `registeredScope`. */
export const annotationOf = (scope: Scope): string =>
  JSON.stringify({
    exemptNamespaces: exemptNamespaces(scope),
    ...(scope.namespaceSelector === undefined ? {} : { namespaceSelector: scope.namespaceSelector }),
  });

/** @returns undefined if the registration does not tell */
export function registeredScope(registration: KubernetesObject): RegisteredScope | undefined {
  const text = annotationsOf(registration)[scopeAnnotation];
  const parsed = annotated.safeParse(text === undefined ? undefined : jsonIn(text));
  if (!parsed.success) return undefined;
  const { exemptNamespaces: names, namespaceSelector } = parsed.data;
  return { names: new Set(names), reviews: (labels) => selectorMatches(namespaceSelector, labels) };
}

function jsonIn(text: string): Json | undefined {
  try {
    return parseStrictJson(text);
  } catch {
    return undefined;
  }
}
