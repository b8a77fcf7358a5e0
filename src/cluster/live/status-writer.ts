import { isDeepStrictEqual } from "node:util";
import { setTimeout as sleep } from "node:timers/promises";
import type { CompiledSnapshot, ResourceProblem } from "../../policy/compile.ts";
import type { KubernetesObject } from "../../workload/kubernetes-object.ts";
import type { ClusterHooks } from "../cluster.ts";
import { ApiError, messageOf, type ApiClient } from "./api-client.ts";

/** Writes what became of policies and trust roots where `kubectl get` shows it. */
export interface StatusWriter {
  /** Tells the present state; returns at once, and writes what differs from what the objects' status says. */
  update(
    policies: readonly KubernetesObject[],
    trustRoots: readonly KubernetesObject[],
    compiled: CompiledSnapshot,
  ): void;
  close(): Promise<void>;
}

/** Milliseconds between two writes: a hundred policies that change together take some seconds, and the API server rests. */
const writeInterval = 50;
const requestTimeout = 10_000;
const maxMessage = 1024;

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration?: number;
  readonly lastTransitionTime: string;
}

interface Status {
  readonly observedGeneration?: number;
  readonly conditions?: readonly Condition[];
  readonly [count: string]: unknown;
}

interface Metadata {
  readonly name: string;
  readonly generation?: number;
  readonly resourceVersion?: string;
}

const plurals = { ClusterSkillPolicy: "clusterskillpolicies", SkillTrustRoot: "skilltrustroots" } as const;

/** Counts that the printer columns show, by kind. */
function countsOf(
  kind: ResourceProblem["kind"],
  object: KubernetesObject,
  compiled: CompiledSnapshot,
): Readonly<Record<string, number>> {
  const { name } = object.metadata as Metadata;
  if (kind === "ClusterSkillPolicy") {
    return { publishers: compiled.policies.find((policy) => policy.name === name)?.publishers.length ?? 0 };
  }
  const usable = !compiled.problems.some((one) => one.kind === kind && one.name === name);
  const spec = usable ? (object["spec"] as TrustRootSpec | undefined) : undefined;
  return { certificates: countPem(spec?.certificates), keys: countPem(spec?.keys) };
}

interface TrustRootSpec {
  readonly certificates?: readonly { readonly pem: string }[];
  readonly keys?: readonly { readonly pem: string }[];
}

/** Blocks in the PEM texts of a trust root that compiled: each was read. */
const countPem = (entries: readonly { readonly pem: string }[] = []): number =>
  entries.reduce((sum, { pem }) => sum + pem.split("-----BEGIN ").length - 1, 0);

/**
 * The status that an object should have. The time of the condition stays while its status does, so that the same
 * state gives the same status on every replica.
 *
 * @param now milliseconds since 1970
 */
export function statusOf(
  kind: ResourceProblem["kind"],
  object: KubernetesObject,
  compiled: CompiledSnapshot,
  now: number,
): Status {
  const { name, generation } = object.metadata as Metadata;
  const problem = compiled.problems.find((one) => one.kind === kind && one.name === name);
  const before = (object["status"] as Status | undefined)?.conditions?.find(({ type }) => type === "Ready");
  const status = problem === undefined ? "True" : "False";
  const observed = generation === undefined ? {} : { observedGeneration: generation };
  return {
    ...observed,
    conditions: [
      {
        type: "Ready",
        status,
        reason: problem?.reason ?? "Compiled",
        message: (problem?.message ?? "in force").slice(0, maxMessage),
        ...observed,
        lastTransitionTime:
          before?.status === status
            ? before.lastTransitionTime
            : new Date(now).toISOString().replace(/\.\d+Z$/, "Z"),
      },
    ],
    ...countsOf(kind, object, compiled),
  };
}

interface Write {
  readonly path: string;
  readonly resourceVersion: string | undefined;
  readonly status: Status;
}

/** Writes statuses one after the other; a newer state of an object replaces one that waits. */
export function createStatusWriter(client: ApiClient, hooks: ClusterHooks): StatusWriter {
  const stop = new AbortController();
  const waiting = new Map<string, Write>();
  let failing = false;
  const writeOne = async ({ path, resourceVersion, status }: Write): Promise<void> => {
    try {
      await client.call({
        method: "PATCH",
        path,
        contentType: "application/merge-patch+json",
        // With the version: a status that was worked out from an older state of the object is refused.
        body: { metadata: { resourceVersion }, status },
        signal: AbortSignal.any([stop.signal, AbortSignal.timeout(requestTimeout)]),
      });
      failing = false;
    } catch (error) {
      // Changed (409) or gone (404) meanwhile: the watch brings the newer state, and with it the next update.
      if (
        stop.signal.aborted ||
        (error instanceof ApiError && (error.status === 409 || error.status === 404))
      )
        return;
      if (!failing) hooks.onProblem(`status is not written: ${messageOf(error)}`);
      failing = true;
    }
  };
  const drain = async (): Promise<void> => {
    for (
      let next = waiting.entries().next();
      !next.done && !stop.signal.aborted;
      next = waiting.entries().next()
    ) {
      const [path, write] = next.value;
      waiting.delete(path);
      await writeOne(write);
      await sleep(writeInterval, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  };
  let draining: Promise<void> | undefined;
  const consider = (
    kind: ResourceProblem["kind"],
    object: KubernetesObject,
    compiled: CompiledSnapshot,
  ): void => {
    const metadata = object.metadata as Metadata;
    const path = `/apis/skill-admission.dev/v1alpha1/${plurals[kind]}/${encodeURIComponent(metadata.name)}/status`;
    const status = statusOf(kind, object, compiled, Date.now());
    if (isDeepStrictEqual(object["status"], status)) waiting.delete(path);
    else waiting.set(path, { path, resourceVersion: metadata.resourceVersion, status });
  };
  return {
    update: (policies, trustRoots, compiled) => {
      for (const policy of policies) consider("ClusterSkillPolicy", policy, compiled);
      for (const root of trustRoots) consider("SkillTrustRoot", root, compiled);
      draining ??= drain().finally(() => (draining = undefined));
    },
    close: async () => {
      stop.abort();
      await draining;
    },
  };
}
