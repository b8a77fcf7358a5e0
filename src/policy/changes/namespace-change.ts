import type { Labels } from "../../kubernetes/object.ts";
import type { Writer } from "../../kubernetes/writer.ts";
import type { Policy } from "../policy.ts";

/** Policies that begin and cease to govern something. */
export interface Passage {
  readonly entered: readonly string[];
  readonly left: readonly string[];
}

/** A change of a namespace's labels by which it comes under policies, or leaves some. */
export interface NamespaceChange extends Passage {
  readonly name: string;
  /** Whether any policy governs it now. */
  readonly isGoverned: boolean;
  /** Labels that are others now, by key, with the value before and after. */
  readonly labels: readonly LabelChange[];
  /** The change of the label that exempts a namespace from review, if that is among them. */
  readonly exemption?: LabelChange;
  readonly writer?: Writer;
}

export interface LabelChange {
  readonly key: string;
  readonly before?: string;
  readonly after?: string;
}

/** Namespaces by name, as the watch shows them. */
export type Namespaces = ReadonlyMap<string, Labels>;

const without = (from: readonly string[], taken: readonly string[]): readonly string[] => {
  const others = new Set(taken);
  return from.filter((one) => !others.has(one));
};

/** What the first has not and the second has, and the other way round. */
export const passage = (before: readonly string[], after: readonly string[]): Passage => ({
  entered: without(after, before),
  left: without(before, after),
});

/** Names of the policies that govern a namespace with these labels; none where there is no such namespace. */
export const governedBy = (
  name: string,
  labels: Labels | undefined,
  policies: readonly Policy[],
): readonly string[] =>
  labels === undefined
    ? []
    : policies.filter((policy) => policy.appliesTo(name, labels)).map((policy) => policy.name);

/** Names of the namespaces that a policy governs; none where there is no such policy. */
export const governedNamespaces = (policy: Policy | undefined, namespaces: Namespaces): readonly string[] =>
  policy === undefined
    ? []
    : [...namespaces].flatMap(([name, labels]) => (policy.appliesTo(name, labels) ? [name] : []));

/** The labels that are others, in the order of their keys. */
export function labelChanges(before: Labels = {}, after: Labels = {}): readonly LabelChange[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return keys.flatMap((key) => {
    const [from, to] = [before[key], after[key]];
    if (from === to) return [];
    return {
      key,
      ...(from === undefined ? {} : { before: from }),
      ...(to === undefined ? {} : { after: to }),
    };
  });
}
