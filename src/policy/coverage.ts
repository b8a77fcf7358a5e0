import { inParts, union, type LabelValues } from "../kubernetes/label-values.ts";
import { asOne, both, everything, minus, selectionOf, type Selection } from "../kubernetes/selection.ts";
import type { Policy } from "./policy.ts";

/** The namespaces that policies govern, by what becomes of an object that cannot be judged. */
export interface Governed {
  /** Those of policies in Enforce: it is refused. */
  readonly enforced: readonly Selection[];
  /** Those of policies in Warn and Audit: it goes through. */
  readonly observed: readonly Selection[];
}

/** The namespaces that these policies select. */
export function governedBy(policies: readonly Policy[]): Governed {
  const selected = (mode: (policy: Policy) => boolean): readonly Selection[] =>
    policies.filter(mode).flatMap(({ namespaceSelector }) => selectionOf(namespaceSelector) ?? []);
  return {
    enforced: selected(({ mode }) => mode === "Enforce"),
    observed: selected(({ mode }) => mode !== "Enforce"),
  };
}

/**
 * The namespaces that the webhook is registered for: all that are governed, and as few others as so many entries can
 * express. No two entries have a namespace in common: whatever is asked about, is asked about once.
 */
export type Coverage = Governed;

/** Entries for enforced namespaces, and for observed ones. Each costs every write in the cluster a look at a selector. */
const maxEntries = 16;

/** Characters of all entries together: each is written for five webhooks, and etcd takes 1.5 MB at once. */
const maxText = 200_000;

const fits = ({ enforced, observed }: Coverage): boolean =>
  [...enforced, ...observed].reduce((sum, one) => sum + textOf(one).length, 0) <= maxText;

/** Joins what one selector can express, until nothing more can be joined. */
function joined(selections: readonly Selection[]): readonly Selection[] {
  const found: Selection[] = [];
  for (const each of selections) {
    let selection = each;
    for (let index = 0; index < found.length;) {
      const one = found[index] && asOne(found[index] ?? everything, selection);
      if (one === undefined) index += 1;
      else {
        // The joined one may go together with what did not fit before.
        found.splice(index, 1);
        selection = one;
        index = 0;
      }
    }
    found.push(selection);
  }
  return found;
}

/** What is selected without what others select; undefined if that needs more entries than there may be. */
function apart(
  selections: readonly Selection[],
  others: readonly Selection[],
): readonly Selection[] | undefined {
  const found: Selection[] = [];
  for (const selection of selections) {
    let parts: readonly Selection[] = [selection];
    for (const taken of [...others, ...found]) {
      parts = parts.flatMap((part) => minus(part, taken));
      if (parts.length > maxEntries * 2) return undefined;
    }
    found.push(...parts);
    if (found.length > maxEntries * 2) return undefined;
  }
  const fewest = joined(found);
  return fewest.length > maxEntries ? undefined : fewest;
}

/** All that is selected and more, by one label that every selection names; else everything. */
function roughly(selections: readonly Selection[]): readonly Selection[] {
  const [first, ...others] = selections;
  if (first === undefined) return [];
  const candidates = [...first.keys()].filter((key) => others.every((other) => other.has(key))).sort();
  const unions = candidates.map((key) => ({
    key,
    allowed: selections.flatMap((selection) => selection.get(key) ?? []).reduce(union),
  }));
  // Listed values leave more out than values that are not.
  const [best] = [...unions].sort((one, other) => weight(one.allowed) - weight(other.allowed));
  if (best === undefined) return [everything];
  return inParts(best.allowed).map((allowed) => new Map([[best.key, allowed]]));
}

const weight = ({ listed, values }: LabelValues): number =>
  listed === "only" ? values.size : 1e9 - values.size;

const ordered = (selections: readonly Selection[]): readonly Selection[] =>
  [...selections].sort((one, other) => (textOf(one) < textOf(other) ? -1 : 1));

/** The same text for the same selection. */
export const textOf = (selection: Selection): string =>
  JSON.stringify(
    [...selection]
      .map(([key, { listed, values, absent }]) => [key, listed, absent, [...values].sort()] as const)
      .sort(([one], [other]) => (one < other ? -1 : 1)),
  );

/**
 * The entries for what policies govern.
 * @param within what may be asked about at all
 */
export function coverageOf(governed: Governed, within: Selection = everything): Coverage {
  const coverage = listed(governed, within);
  if (fits(coverage)) return coverage;
  const { enforced } = coverage;
  const everywhere = { enforced, observed: apart([within], enforced) ?? [] };
  return fits(everywhere) && everywhere.observed.length > 0
    ? everywhere
    : { enforced: [within], observed: [] };
}

/** The same, however many values there are to list. */
function listed({ enforced, observed }: Governed, within: Selection): Coverage {
  const inside = (selections: readonly Selection[]): readonly Selection[] =>
    joined(ordered(selections.flatMap((one) => both(one, within) ?? [])));
  const withoutEnforced = (from: readonly Selection[], taken: readonly Selection[]) =>
    apart(from, taken) ?? apart(inside(roughly(from)), taken);
  const [demanded, looked] = [inside(enforced), inside(observed)];
  const exact = apart(demanded, []);
  const others = exact && withoutEnforced(looked, exact);
  if (exact !== undefined && others !== undefined)
    return { enforced: ordered(exact), observed: ordered(others) };
  const rough = inside(roughly(demanded));
  const rest = withoutEnforced(looked, rough);
  return rest === undefined
    ? { enforced: [within], observed: [] }
    : { enforced: ordered(rough), observed: ordered(rest) };
}
