import { alwaysName } from "../../../policy/always.ts";
import { defined, isFields } from "../../../text/fields.ts";
import type { CompiledSnapshot } from "../../../policy/compile/snapshot.ts";
import type { OwnKind } from "../../../policy/resource/kinds.ts";
import type { ResourceProblem } from "../../../policy/resource/problem.ts";
import { timeText } from "../../../text/time.ts";
import type { Condition, Said } from "./condition.ts";
import { expiryOf } from "./expiry.ts";
import { usageOf, type Usage } from "./usage.ts";
import type { Mark } from "../../../policy/trust/usage.ts";
import type { Standing } from "../../../recheck/ports.ts";
import { generationOf, nameOf, type KubernetesObject } from "../../../kubernetes/object.ts";
import { registeredBefore, registeredOf, type Registered, type RegistrationStanding } from "./registered.ts";

/** `status` of a custom resource. */
export interface Status {
  readonly observedGeneration?: number;
  readonly conditions?: readonly Condition[];
  readonly [count: string]: unknown;
}

const maxMessage = 1024;

interface TrustRootSpec {
  readonly certificates?: readonly { readonly pem: string }[];
  readonly keys?: readonly { readonly pem: string }[];
  readonly sigstore?: readonly unknown[];
  readonly vett?: readonly { readonly keys: readonly { readonly pem: string }[] }[];
}

/** PEM blocks in the entries of a compiled trust root. */
const countPem = (entries: readonly { readonly pem: string }[] = []): number =>
  entries.reduce((sum, { pem }) => sum + pem.split("-----BEGIN ").length - 1, 0);

const revocable = ["skills", "files", "certificates", "keys", "identities"] as const;

type Counts = Readonly<Record<string, number>>;

/** How a policy stands with what is stored. */
export type PolicyStanding = Pick<Standing, "workloads" | "first">;

function countEntries(spec: unknown): Counts {
  const lists = spec as Readonly<Partial<Record<string, readonly unknown[]>>> | undefined;
  return Object.fromEntries(revocable.map((kind) => [kind, lists?.[kind]?.length ?? 0]));
}

function countTrust({ certificates, keys = [], sigstore = [], vett = [] }: TrustRootSpec = {}): Counts {
  const registryKeys = vett.flatMap((registry) => registry.keys);
  return {
    certificates: countPem(certificates),
    keys: countPem([...keys, ...registryKeys]),
    sigstore: sigstore.length,
  };
}

/** Counts for the printer columns, by kind; `spec` is undefined if it cannot be used. */
const counters: Readonly<
  Record<OwnKind, (spec: unknown, name: string, compiled: CompiledSnapshot) => Counts>
> = {
  ClusterSkillPolicy: (_spec, name, { policies }) => ({
    publishers: policies.find((policy) => policy.name === name)?.publishers.length ?? 0,
  }),
  SkillTrustRoot: (spec) => countTrust(spec as TrustRootSpec | undefined),
  SkillRevocationList: countEntries,
};

/** What statuses are made from. */
export interface StatusSource extends CompiledSnapshot {
  /** By policy; absent while it is not known how they stand. */
  readonly standings?: ReadonlyMap<string, PolicyStanding>;
  /** Absent while it is not known. */
  readonly registration?: RegistrationStanding;
  /** What stored pods meet of trust, publishers and revocations; absent while it is not known. */
  readonly seen?: ReadonlySet<Mark>;
}

/** Whether the API server asks about what a policy, or a list that is enforced always, governs; undefined for what is neither. */
function registeredIn(
  kind: OwnKind,
  object: KubernetesObject,
  { policies, registration }: StatusSource,
): Registered | undefined {
  if (kind === "SkillTrustRoot") return undefined;
  const name = kind === "SkillRevocationList" ? alwaysName(nameOf(object)) : nameOf(object);
  const policy = policies.find((one) => one.name === name);
  if (policy === undefined && kind === "SkillRevocationList") return undefined;
  if (policy !== undefined && registration !== undefined) return registeredOf(policy, registration);
  const last = (object["status"] as Status | undefined)?.conditions?.find(
    ({ type }) => type === "Registered",
  );
  return registeredBefore(last?.observedGeneration === generationOf(object) ? last : undefined);
}

/** A policy is in force once the API server asks about what it governs. */
function readyOf(
  problem: ResourceProblem | undefined,
  registered: Registered | undefined,
  notes: readonly string[],
): Said {
  if (problem !== undefined) return { status: "False", reason: problem.reason, message: problem.message };
  return registered?.status === "False"
    ? registered
    : { status: "True", reason: "Compiled", message: ["in force", ...notes].join("; ") };
}

/** What is said of workloads: while it is not known, what a leader before wrote. */
function workloadsIn(before: Status | undefined, standing: PolicyStanding | undefined): Partial<Status> {
  const { noncompliantWorkloads, noncompliant } =
    standing === undefined
      ? (before ?? {})
      : {
          noncompliantWorkloads: standing.workloads,
          noncompliant: standing.first.length > 0 ? standing.first : undefined,
        };
  return defined({ noncompliantWorkloads, noncompliant });
}

/** What does not comply with a policy, or a list that is enforced always. */
function workloadsOf(kind: OwnKind, object: KubernetesObject, { standings }: StatusSource): Partial<Status> {
  const status = object["status"] as Status | undefined;
  const name = nameOf(object);
  if (kind === "ClusterSkillPolicy") return workloadsIn(status, standings?.get(name));
  const { spec } = object;
  const isAlways = kind === "SkillRevocationList" && isFields(spec) && spec["enforcement"] === "Always";
  return isAlways ? workloadsIn(status, standings?.get(alwaysName(name))) : {};
}

/** Counts of what matches: while it is not known, what a leader before wrote. */
const countsBefore = (status: Status | undefined, { unused }: Usage): Partial<Status> =>
  unused === undefined ? defined({ unused: status?.["unused"], matched: status?.["matched"] }) : {};

/**
 * The status of an object. A condition keeps its time while its status stays the same: equal states give equal
 * statuses on every replica.
 * @param now milliseconds since 1970
 */
export function statusOf(
  kind: OwnKind,
  object: KubernetesObject,
  compiled: StatusSource,
  now: number,
): Status {
  const [name, generation] = [nameOf(object), generationOf(object)];
  const problem = compiled.problems.find((one) => one.kind === kind && one.name === name);
  const status = object["status"] as Status | undefined;
  const before = status?.conditions;
  const observed = generation === undefined ? {} : { observedGeneration: generation };
  const condition = (type: string, said: Said): Condition => {
    const last = before?.find((one) => one.type === type);
    return {
      type,
      status: said.status,
      reason: said.reason,
      message: said.message.slice(0, maxMessage),
      ...observed,
      lastTransitionTime: last?.status === said.status ? last.lastTransitionTime : timeText(now),
    };
  };
  const notes = kind === "SkillTrustRoot" ? compiled.trustNotes.filter((note) => note.name === name) : [];
  const registered = registeredIn(kind, object, compiled);
  const said = notes.map(({ message }) => message);
  const ready = [
    condition("Ready", readyOf(problem, registered, said)),
    ...(registered === undefined ? [] : [condition("Registered", registered)]),
  ];
  const isUsable = problem === undefined;
  const counts = {
    ...counters[kind](isUsable ? object["spec"] : undefined, name, compiled),
    ...workloadsOf(kind, object, compiled),
  };
  if (!isUsable) return { ...observed, conditions: ready, ...counts };
  const usage = usageOf(kind, name, compiled, compiled.seen);
  const { condition: expiring, ...columns } =
    kind === "SkillRevocationList" ? { condition: undefined } : expiryOf(kind, name, compiled, now);
  const kept = (type: string, said: Said | undefined): readonly Condition[] =>
    said === undefined ? (before?.filter((one) => one.type === type) ?? []) : [condition(type, said)];
  return {
    ...observed,
    conditions: [
      ...ready,
      ...(expiring === undefined ? [] : [condition("Expiring", expiring)]),
      ...(usage.revoked === undefined ? [] : [condition("Revoked", usage.revoked)]),
      // While it is not known, what a leader before wrote.
      ...kept("Unused", usage.unused),
    ],
    ...counts,
    ...countsBefore(status, usage),
    ...usage.counts,
    ...columns,
  };
}
