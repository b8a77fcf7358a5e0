import { PolicyError } from "../policy-error.ts";
import type { ClusterSkillPolicySpec } from "../resource/cluster-skill-policy.ts";
import type { SkillRevocationListSpec } from "../resource/skill-revocation-list.ts";

/** One entry of a list, for messages. */
export interface Revocation {
  /** Who revoked it: `SkillRevocationList org-revoked`, `this policy's revocation`. */
  readonly by: string;
  readonly reason?: string;
  /** RFC 3339. */
  readonly revokedAt?: string;
}

type Entries = ReadonlyMap<string, Revocation>;

/** What is refused whatever else holds. Digests are SHA-256 as 64 lower-case hex digits. */
export interface RevocationIndex {
  readonly skills: Entries;
  readonly files: Entries;
  readonly certificates: Entries;
  readonly keys: Entries;
  /** By `identityKey`. */
  readonly identities: Entries;
}

/** All SkillRevocationLists together. */
export interface RevocationLists {
  readonly index: RevocationIndex;
  /** By the name of a list, what is wrong with it; undefined where nothing is. */
  readonly faults: ReadonlyMap<string, string | undefined>;
}

/** An identity and its issuer as one text; no two pairs give the same. */
export const identityKey = (issuer: string, identity: string): string => JSON.stringify([issuer, identity]);

const none: Entries = new Map();

export const noRevocations: RevocationLists = {
  index: { skills: none, files: none, certificates: none, keys: none, identities: none },
  faults: new Map(),
};

const hexOf = (digest: string): string => digest.slice("sha256:".length);

/** A list that was read, or why it was not. */
export interface ReadList {
  readonly name: string;
  readonly spec?: SkillRevocationListSpec;
  readonly fault?: string;
}

type Why = Pick<Revocation, "reason" | "revokedAt">;

/** Of two entries about the same thing, the first is told of. */
function add(entries: Map<string, Revocation>, key: string, by: string, { reason, revokedAt }: Why): void {
  if (entries.has(key)) return;
  entries.set(key, {
    by,
    ...(reason === undefined ? {} : { reason }),
    ...(revokedAt === undefined ? {} : { revokedAt }),
  });
}

const digestKinds = ["skills", "files", "certificates", "keys"] as const;

interface Joined {
  readonly from: readonly ReadList[];
  readonly lists: RevocationLists;
}

/** By the first of the specs: policies change more often than lists, whose join takes a while when they are long. */
const joined = new WeakMap<SkillRevocationListSpec, Joined>();

const isSame = (one: ReadList, other: ReadList | undefined): boolean =>
  one.name === other?.name && one.spec === other.spec && one.fault === other.fault;

/** One index of all lists, so that a look-up takes as long in a hundred thousand entries as in one. */
export function joinLists(lists: readonly ReadList[]): RevocationLists {
  const key = lists.find(({ spec }) => spec !== undefined)?.spec;
  const known = key === undefined ? undefined : joined.get(key);
  if (known?.from.length === lists.length && lists.every((list, at) => isSame(list, known.from[at])))
    return known.lists;
  const result = join(lists);
  if (key !== undefined) joined.set(key, { from: lists, lists: result });
  return result;
}

function join(lists: readonly ReadList[]): RevocationLists {
  const index = {
    skills: new Map<string, Revocation>(),
    files: new Map<string, Revocation>(),
    certificates: new Map<string, Revocation>(),
    keys: new Map<string, Revocation>(),
    identities: new Map<string, Revocation>(),
  };
  for (const { name, spec } of lists) {
    const by = `SkillRevocationList ${name}`;
    for (const kind of digestKinds) {
      for (const entry of spec?.[kind] ?? []) add(index[kind], hexOf(entry.digest), by, entry);
    }
    for (const entry of spec?.identities ?? [])
      add(index.identities, identityKey(entry.issuer, entry.identity), by, entry);
  }
  return { index, faults: new Map(lists.map(({ name, fault }) => [name, fault])) };
}

/** What a policy itself revokes; one digest may be that of a skill, a file, a certificate or a key. */
export function ownRevocations(digests: readonly string[] = []): RevocationIndex {
  const by = "this policy's revocation";
  const entries: Entries = new Map(digests.map((digest) => [hexOf(digest), { by }]));
  return { skills: entries, files: entries, certificates: entries, keys: entries, identities: none };
}

/**
 * Every list counts for every policy, named there or not: one that cannot be read leaves open what it revokes, and is
 * never "no list". Those that the policy names must be there as well.
 * @throws PolicyError RevocationListMissing
 */
export function assertLists(
  { revocation }: Pick<ClusterSkillPolicySpec, "revocation">,
  { faults }: RevocationLists,
): void {
  for (const [index, { name }] of (revocation?.listRefs ?? []).entries()) {
    if (faults.has(name)) continue;
    throw new PolicyError(
      "RevocationListMissing",
      `spec.revocation.listRefs[${index}]: there is no SkillRevocationList ${name}; create it, or name another`,
    );
  }
  for (const [name, fault] of faults) {
    if (fault === undefined) continue;
    throw new PolicyError(
      "RevocationListMissing",
      `the SkillRevocationList ${name} cannot be read, so that nothing is known to be fine: ${fault}; correct the list`,
    );
  }
}
