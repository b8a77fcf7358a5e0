import { memoizeByObject } from "../../../text/memoize-by-object.ts";
import type { CompiledSnapshot } from "../../../policy/compile/snapshot.ts";
import type { OwnKind } from "../../../policy/resource/kinds.ts";
import { indexOfList, type Revocation, type RevocationIndex } from "../../../policy/trust/revocations.ts";
import {
  entryMark,
  marksOfPublisher,
  marksOfTrusted,
  publisherMark,
  revocationOf,
  trustedEntries,
  type Mark,
  type TrustedEntry,
} from "../../../policy/trust/usage.ts";
import type { Said } from "./condition.ts";

/** Names in one message. */
const maxNamed = 8;

/** What of a resource matches nothing, and what of it is revoked. */
export interface Usage {
  /** Absent while it is not known what pods meet. */
  readonly unused?: Said;
  /** Absent for revocation lists. */
  readonly revoked?: Said;
  /** For the columns. */
  readonly counts: Readonly<Record<string, number>>;
}

function listed(names: readonly string[]): string {
  const more = names.length - maxNamed;
  return [...names.slice(0, maxNamed), ...(more > 0 ? [`${more} more`] : [])].join(", ");
}

interface NamedRevocation {
  readonly name: string;
  readonly revocation: Revocation;
}

function revokedOf(found: readonly NamedRevocation[]): Said {
  if (found.length === 0)
    return {
      status: "False",
      reason: "NothingRevoked",
      message: "no SkillRevocationList names anything of it",
    };
  const told = found.map(
    ({ name, revocation: { by, reason } }) => `${name} by ${by}${reason === undefined ? "" : ` (${reason})`}`,
  );
  const message = `revoked: ${listed(told)}; skills signed by it are refused: take it out`;
  return { status: "True", reason: "Revoked", message };
}

const remedyUnused = "keep what is to sign later, and take out what has signed its last";

const inUse = (message: string): Said => ({ status: "False", reason: "InUse", message });

/** Marks of all trust that policies refer to. */
const referenced = memoizeByObject(
  (policies: CompiledSnapshot["policies"]): ReadonlySet<Mark> =>
    new Set(policies.flatMap(({ publishers }) => publishers.flatMap(marksOfPublisher))),
);

const ownName = (prefix: string, { names }: TrustedEntry): string =>
  (names.find((name) => name.startsWith(prefix)) ?? "").slice(prefix.length);

function unusedOfRoot(unreferenced: readonly string[], unseen: readonly string[]): Said {
  if (unreferenced.length + unseen.length === 0)
    return inUse("each of its entries has signed something that runs where policies govern");
  const parts = [
    ...(unreferenced.length > 0 ? [`no policy refers to ${listed(unreferenced)}`] : []),
    ...(unseen.length > 0 ? [`no skill that runs where policies govern is signed by ${listed(unseen)}`] : []),
  ];
  return {
    status: "True",
    reason: unseen.length > 0 ? "NothingSigned" : "NotReferenced",
    message: `${parts.join("; ")}; ${remedyUnused}`,
  };
}

function usageOfRoot(name: string, compiled: CompiledSnapshot, seen: ReadonlySet<Mark> | undefined): Usage {
  const prefix = `${name}/`;
  const entries = trustedEntries(compiled.trust).filter(({ names }) =>
    names.some((one) => one.startsWith(prefix)),
  );
  const wanted = referenced(compiled.policies);
  const namesOf = (some: readonly TrustedEntry[]): readonly string[] => [
    ...new Set(some.map((entry) => ownName(prefix, entry))),
  ];
  const revoked = entries.flatMap((entry) => {
    const revocation = revocationOf(entry, compiled.lists.index);
    return revocation === undefined ? [] : [{ name: ownName(prefix, entry), revocation }];
  });
  const said = { revoked: revokedOf(revoked) };
  const count = { revoked: revoked.length };
  if (seen === undefined) return { ...said, counts: count };
  const unreferenced = namesOf(entries.filter(({ mark }) => !wanted.has(mark)));
  const unseen = namesOf(entries.filter(({ mark }) => wanted.has(mark) && !seen.has(mark)));
  return {
    ...said,
    unused: unusedOfRoot(unreferenced, unseen),
    counts: { ...count, unused: unreferenced.length + unseen.length },
  };
}

function usageOfPolicy(name: string, compiled: CompiledSnapshot, seen: ReadonlySet<Mark> | undefined): Usage {
  const publishers = compiled.policies.find((policy) => policy.name === name)?.publishers ?? [];
  const entries = new Map(trustedEntries(compiled.trust).map((entry) => [entry.mark, entry]));
  const revoked = publishers.flatMap((publisher) => {
    const [first] = marksOfPublisher(publisher).flatMap((mark) => {
      const entry = entries.get(mark);
      return (entry && revocationOf(entry, compiled.lists.index)) ?? [];
    });
    return first === undefined ? [] : [{ name: publisher.name, revocation: first }];
  });
  const said = { revoked: revokedOf(revoked) };
  if (seen === undefined) return { ...said, counts: {} };
  const unseen = publishers.map((one) => one.name).filter((one) => !seen.has(publisherMark(name, one)));
  const unused: Said =
    unseen.length === 0
      ? inUse("each of its publishers has signed something that runs where it governs")
      : {
          status: "True",
          reason: "NothingSigned",
          message: `no skill that runs where it governs is signed by the publishers ${listed(unseen)}; ${remedyUnused}`,
        };
  return { ...said, unused, counts: {} };
}

const kindsOfEntries = ["skills", "files", "certificates", "keys", "identities"] as const;

/** Entries of an index that are among the marks, and the first that are not, for a message. */
function matchedIn(
  index: RevocationIndex,
  marks: ReadonlySet<Mark>,
): { readonly total: number; readonly matched: number; readonly others: readonly string[] } {
  let [total, matched] = [0, 0];
  const others: string[] = [];
  for (const kind of kindsOfEntries) {
    total += index[kind].size;
    for (const key of index[kind].keys()) {
      if (marks.has(entryMark(kind, key))) matched += 1;
      else if (others.length < maxNamed) others.push(`${kind} ${key.slice(0, 80)}`);
    }
  }
  return { total, matched, others };
}

function unusedOfList(index: RevocationIndex, marks: ReadonlySet<Mark>): Pick<Usage, "unused" | "counts"> {
  const { total, matched, others } = matchedIn(index, marks);
  const counts = { matched };
  if (total === matched)
    return { unused: inUse("each entry names something that runs or is trusted"), counts };
  const more = total - matched - others.length;
  const names = [...others, ...(more > 0 ? [`${more} more`] : [])].join(", ");
  const message = `${total - matched} of ${total} entries name nothing that runs where policies govern, and no key or certificate that is trusted: ${names}; see that the digests are right; an entry that is to keep something out may stay`;
  return { unused: { status: "True", reason: "MatchesNothing", message }, counts };
}

type ListUsages = ReadonlyMap<string, Pick<Usage, "unused" | "counts">>;

/** By what runs, and by the policies, with which all else is compiled: long lists are not counted anew for each status. */
const known = new WeakMap<
  ReadonlySet<Mark>,
  { readonly policies: CompiledSnapshot["policies"]; readonly usages: ListUsages }
>();

function usageOfLists(compiled: CompiledSnapshot, seen: ReadonlySet<Mark>): ListUsages {
  const before = known.get(seen);
  if (before?.policies === compiled.policies) return before.usages;
  const marks = new Set([...seen, ...marksOfTrusted(compiled.lists.index, compiled)]);
  const usages = new Map(
    compiled.lists.read.flatMap(({ name, spec }) =>
      spec === undefined ? [] : [[name, unusedOfList(indexOfList(name, spec), marks)] as const],
    ),
  );
  known.set(seen, { policies: compiled.policies, usages });
  return usages;
}

/**
 * Tells what of a resource matches nothing, and what of it is revoked.
 * @param seen what pods meet; undefined: it is not known
 */
export function usageOf(
  kind: OwnKind,
  name: string,
  compiled: CompiledSnapshot,
  seen: ReadonlySet<Mark> | undefined,
): Usage {
  // Of a policy that cannot be used it is not known whom it refers to.
  const isKnown = compiled.policies.every(({ invalidReason }) => invalidReason === undefined);
  const met = isKnown ? seen : undefined;
  if (kind === "SkillTrustRoot") return usageOfRoot(name, compiled, met);
  if (kind === "ClusterSkillPolicy") return usageOfPolicy(name, compiled, met);
  return (met && usageOfLists(compiled, met).get(name)) ?? { counts: {} };
}
