import type { Registry } from "prom-client";
import { resourceChangeWords, type ResourceChangeWord } from "../policy/changes/resource-changes.ts";
import { ownKinds, type OwnKind } from "../policy/resource/kinds.ts";
import { prefix } from "./instruments.ts";
import { boundedNames } from "./labels.ts";
import { talliedCounter } from "./tallied-counter.ts";

/** `Trust`: all certificates, keys and trusted roots together, wherever they come from. */
export const changedKinds = [...ownKinds, "Trust"] as const satisfies readonly (OwnKind | "Trust")[];
export type ChangedKind = (typeof changedKinds)[number];

/** `exempted`: by the break-glass label; `readmitted`: that label is gone. */
export const namespaceChangeWords = ["entered", "left", "exempted", "readmitted"] as const;
export type NamespaceChangeWord = (typeof namespaceChangeWords)[number];

/** Counters of what changes of all that decides. */
export const changeInstruments = (registry: Registry) => ({
  resources: talliedCounter<"kind" | "name" | "change">(
    {
      name: `${prefix}resource_changes_total`,
      help: "Changes of policies, trust roots and revocation lists, and of the trust in force; each replica counts them",
      labelNames: ["kind", "name", "change"],
      registers: [registry],
    },
    ({ kind, name, change }) => `${kind} ${change} ${name}`,
  ),
  namespaces: talliedCounter<"change">(
    {
      name: `${prefix}namespace_changes_total`,
      help: "Namespaces that came under a policy, left one, or were exempted, by their labels or by the policy's; each replica counts them",
      labelNames: ["change"],
      registers: [registry],
    },
    ({ change }) => change,
  ),
});

/** Counts of what changes of all that decides. */
export interface ChangeMetrics {
  /** Starts the counters of a resource at 0. */
  expectResource(kind: OwnKind, name: string): void;
  observeResourceChange(kind: ChangedKind, name: string, change: ResourceChangeWord): void;
  observeNamespaceChange(change: NamespaceChangeWord, namespaces?: number): void;
}

/** These metrics on a registry. */
export function changeMetrics(registry: Registry): ChangeMetrics {
  const { resources, namespaces } = changeInstruments(registry);
  const bounded = boundedNames();
  for (const change of namespaceChangeWords) namespaces.inc({ change }, 0);
  resources.inc({ kind: "Trust", name: "", change: "changed" }, 0);
  return {
    expectResource: (kind, name) => {
      for (const change of resourceChangeWords)
        if (change !== "created") resources.inc({ kind, name: bounded(name), change }, 0);
    },
    observeResourceChange: (kind, name, change) => resources.inc({ kind, name: bounded(name), change }),
    observeNamespaceChange: (change, count = 1) => namespaces.inc({ change }, count),
  };
}
