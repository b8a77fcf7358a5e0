import { selectorMatches, type LabelSelector } from "../../kubernetes/label-selector.ts";
import { defined, isFields } from "../../text/fields.ts";
import { alwaysName } from "../always.ts";
import type { Policy } from "../policy.ts";
import { skillRevocationListFields as fields } from "../resource/skill-revocation-list.ts";
import { revocationFindings } from "../rules/revocation.ts";
import { indexOfList, type ReadList } from "../trust/revocations.ts";

/** What judges by a list: mode Enforce, and no demand but that nothing is revoked. */
function judging(
  { name, generation }: ReadList,
  namespaceSelector: LabelSelector = {},
): Omit<Policy, "revoked"> {
  return {
    name: alwaysName(name),
    ...defined({ generation }),
    tenant: alwaysName(name),
    mode: "Enforce",
    controllers: "Warn",
    appliesTo: (_namespace, labels) => selectorMatches(namespaceSelector, labels),
    namespaceSelector,
    skillRoots: [],
    skills: [],
    noMatch: "Allow",
    publishers: [],
    minimum: {},
    card: () => [],
    immutability: {
      configMap: false,
      readOnlyMount: false,
      readOnlyRootFilesystem: false,
      privateProcesses: false,
    },
    recheck: "Watch",
    unverifiable: () => "Allow",
    otherSignatures: "Allow",
    unsigned: { action: "Warn" },
    always: true,
  };
}

/**
 * A list that cannot be read refuses every skill of its namespaces if it may be enforced always: what it revokes is
 * unknown. An unreadable selector selects all namespaces.
 */
function unreadable(list: ReadList): readonly Policy[] {
  const { written, fault = "" } = list;
  const { enforcement, namespaceSelector } = isFields(written) ? written : {};
  if (fields.enforcement.safeParse(enforcement).data === "Policy") return [];
  const selector = fields.namespaceSelector.safeParse(namespaceSelector);
  return [{ ...judging(list, selector.data), revoked: () => [], invalidReason: fault }];
}

/** The lists with `enforcement: Always`, each as a policy of its own. */
export const alwaysLists = (lists: readonly ReadList[]): readonly Policy[] =>
  lists.flatMap((list): readonly Policy[] => {
    const { name, spec } = list;
    if (spec === undefined) return unreadable(list);
    if (spec.enforcement !== "Always") return [];
    const index = indexOfList(name, spec);
    return [
      {
        ...judging(list, spec.namespaceSelector),
        revoked: (skill, evidence) => revocationFindings([index], skill, evidence),
      },
    ];
  });
