import { defined } from "../../text/fields.ts";
import { PolicyError } from "../policy-error.ts";
import type { ClusterSkillPolicySpec } from "../resource/cluster-skill-policy.ts";
import type { SkillRevocationListSpec } from "../resource/skill-revocation-list.ts";

/** One entry of a list, for messages. */
export interface Revocation {
  /** Origin of the revocation: `SkillRevocationList org-revoked`, `this policy's revocation`. */
  readonly by: string;
  readonly reason?: string;
  /** RFC 3339. */
  readonly revokedAt?: string;
}

type Entries = ReadonlyMap<string, Revocation>;

/** Revoked objects. Digests are SHA-256, 64 lower-case hex digits. */
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
  /** Fault of each list by name; undefined for a usable one. */
  readonly faults: ReadonlyMap<string, string | undefined>;
  readonly read: readonly ReadList[];
}

/** Joins issuer and identity into one unambiguous key. */
export const identityKey = (issuer: string, identity: string): string => JSON.stringify([issuer, identity]);

const none: Entries = new Map();

export const noRevocations: RevocationLists = {
  index: { skills: none, files: none, certificates: none, keys: none, identities: none },
  faults: new Map(),
  read: [],
};

const hexOf = (digest: string): string => digest.slice("sha256:".length);

/** A revocation list, or the reason why it cannot be read. */
export interface ReadList {
  readonly name: string;
  readonly spec?: SkillRevocationListSpec;
  readonly fault?: string;
  /** `spec` of one that cannot be read, as it was received. */
  readonly written?: unknown;
  /** `metadata.generation`; absent in files. */
  readonly generation?: number;
}

type RevocationDetail = Pick<Revocation, "reason" | "revokedAt">;

/** Of two entries about the same object, the first is reported. */
function add(
  entries: Map<string, Revocation>,
  key: string,
  by: string,
  { reason, revokedAt }: RevocationDetail,
): void {
  if (entries.has(key)) return;
  entries.set(key, {
    by,
    ...defined({ reason, revokedAt }),
  });
}

const digestKinds = ["skills", "files", "certificates", "keys"] as const;

interface Joined {
  readonly from: readonly ReadList[];
  readonly lists: RevocationLists;
}

/** Remembered by the first spec: policies change more often than lists, and joining long lists takes a while. */
const joined = new WeakMap<SkillRevocationListSpec, Joined>();

const isSame = (one: ReadList, other: ReadList | undefined): boolean =>
  one.name === other?.name && one.spec === other.spec && one.fault === other.fault;

/** Joins all lists into one index: a look-up takes equally long with one entry and a hundred thousand. */
export function joinLists(lists: readonly ReadList[]): RevocationLists {
  const key = lists.find(({ spec }) => spec !== undefined)?.spec;
  const known = key === undefined ? undefined : joined.get(key);
  if (known?.from.length === lists.length && lists.every((list, at) => isSame(list, known.from[at])))
    return known.lists;
  const result = join(lists);
  if (key !== undefined) joined.set(key, { from: lists, lists: result });
  return result;
}

function joinedIndex(lists: readonly Pick<ReadList, "name" | "spec">[]): RevocationIndex {
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
  return index;
}

const join = (lists: readonly ReadList[]): RevocationLists => ({
  index: joinedIndex(lists),
  faults: new Map(lists.map(({ name, fault }) => [name, fault])),
  read: lists,
});

const single = new WeakMap<SkillRevocationListSpec, RevocationIndex>();

/** What one list revokes by itself. */
export function indexOfList(name: string, spec: SkillRevocationListSpec): RevocationIndex {
  const index = single.get(spec) ?? joinedIndex([{ name, spec }]);
  single.set(spec, index);
  return index;
}

/** Revocations of the policy itself; a digest may be that of a skill, a file, a certificate or a key. */
export function ownRevocations(digests: readonly string[] = []): RevocationIndex {
  const by = "this policy's revocation";
  const entries: Entries = new Map(digests.map((digest) => [hexOf(digest), { by }]));
  return { skills: entries, files: entries, certificates: entries, keys: entries, identities: none };
}

/**
 * Requires that all lists are readable and those that the policy names exist. Every list counts for every policy,
 * and an unreadable one is never "no list": its revocations are unknown.
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
