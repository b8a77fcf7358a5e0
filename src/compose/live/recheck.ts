import { setTimeout as sleep } from "node:timers/promises";
import type { ApiClient } from "../../cluster/live/api/client.ts";
import { topOwner } from "../../cluster/live/api/top-owner.ts";
import { readVersion } from "../../cluster/live/api/version-source.ts";
import { createVolumeObjectSource } from "../../cluster/live/api/volume-object-source.ts";
import type { EventWriter } from "../../cluster/live/events/writer.ts";
import type { Leadership } from "../../cluster/live/leader/leadership.ts";
import type { StatusWriter } from "../../cluster/live/status/writer.ts";
import { followStored, type UnseenInterval } from "../../cluster/live/watch/stored-objects.ts";
import { ReadBudget } from "../../evaluation/read-budget.ts";
import type { ReviewDeps } from "../../evaluation/evaluate.ts";
import { noncomplianceEvent } from "../../recheck/noncompliance-event.ts";
import type { Notice, RecheckDeps, Standing } from "../../recheck/ports.ts";
import { Recheck } from "../../recheck/recheck.ts";
import type { Telemetry } from "../../telemetry/telemetry.ts";

/** Its own part of what reads may hold: reviews wait for nothing of it. */
const readLimits = { readsAtOnce: 4, heldBytes: 8 * 1024 * 1024 };
const cacheBytes = 4 * 1024 * 1024;
/** Limit on the work on one pod, milliseconds. */
const workLimit = 30_000;

/** Parts of a process that judges what is stored. */
export interface RecheckParts {
  readonly client: ApiClient;
  readonly leadership: Leadership;
  readonly status: Pick<StatusWriter, "setStandings">;
  /** Absent where Events are off. */
  readonly events?: EventWriter;
  readonly exempt: ReadonlySet<string>;
}

/** Judges what is stored while this process leads. */
export interface RunningRecheck {
  policiesChanged(): void;
  namespaceChanged(name: string): void;
  close(): Promise<void>;
}

function reportUnseen({ since, until }: UnseenInterval, { log }: Telemetry): void {
  const text = (time: number): string => new Date(time).toISOString();
  log.info(
    since === undefined
      ? "what was stored and replaced before this time was not seen; what is stored now is judged"
      : "what was stored and replaced in this time was not seen; what is stored now is judged",
    { ...(since === undefined ? {} : { since: text(since) }), until: text(until) },
  );
}

function report(notice: Notice, { log, metrics }: Telemetry, events: EventWriter | undefined): void {
  const { workload, namespace, pods, podCount, policy, tenant, mode, codes, replaced, text } = notice;
  log.warn("a stored workload does not comply", {
    kind: workload.kind,
    namespace,
    name: workload.name,
    policy,
    tenant,
    mode,
    codes,
    pods,
    podCount,
    ...(replaced === undefined ? {} : { replaced }),
    detail: text(maxDetail).split("\n"),
  });
  metrics.observeNamed(policy, mode);
  events?.tell(noncomplianceEvent(notice));
}

/** Bytes of a message in a log line. */
const maxDetail = 2048;

/** Tells of policies whose number of workloads has changed. */
function standingLog({ log }: Telemetry): (standings: readonly Standing[]) => void {
  let told = new Map<string, number>();
  return (standings) => {
    for (const { policy, mode, workloads } of standings)
      if (workloads !== (told.get(policy) ?? 0))
        log.info("stored workloads that do not comply", { policy, mode, workloads });
    told = new Map(standings.map(({ policy, workloads }) => [policy, workloads]));
  };
}

const timeOf = (text: string | undefined): number | undefined => {
  const time = text === undefined ? NaN : Date.parse(text);
  return Number.isFinite(time) ? time : undefined;
};

function portsOf(
  { client, status, events }: RecheckParts,
  review: ReviewDeps,
  telemetry: Telemetry,
): RecheckDeps {
  const { log, metrics } = telemetry;
  const source = createVolumeObjectSource(client, cacheBytes);
  const budget = new ReadBudget(readLimits);
  const tell = standingLog(telemetry);
  return {
    review,
    open: (namespace) => budget.open(source, namespace),
    readVersion: (request, version, signal) => readVersion(client, request, version, signal),
    topOwner: (owner, signal) => topOwner(client, owner, signal),
    clock: {
      now: () => Date.now(),
      sleep: (milliseconds, signal) => sleep(milliseconds, undefined, { signal }).catch(() => undefined),
      deadline: (signal) => AbortSignal.any([signal, AbortSignal.timeout(workLimit)]),
    },
    onNotice: (notice) => report(notice, telemetry, events),
    onStanding: (standings, seen) => {
      tell(standings);
      metrics.setNoncompliant(standings);
      status.setStandings(standings, seen);
    },
    onPass: ({ seconds, complete }) => {
      metrics.observeScan(seconds, complete ? Date.now() : undefined);
      log.debug("judged all that is stored", { seconds, complete });
    },
    onLeftOut: (pods) => metrics.setRecheckLeftOut(pods),
    onProblem: (message) => log.warn(message),
  };
}

/** Starts judging what is stored, as often as this process begins to lead, and ends it with the lead. */
export function startRecheck(parts: RecheckParts, review: ReviewDeps, telemetry: Telemetry): RunningRecheck {
  const { client, leadership, status, exempt } = parts;
  const { log, metrics } = telemetry;
  const ended = new AbortController();
  let present: Recheck | undefined;
  let running: Promise<void> = Promise.resolve();
  let led: AbortSignal | undefined;
  const lead = async (leading: AbortSignal): Promise<void> => {
    const recheck = new Recheck(portsOf(parts, review, telemetry));
    present = recheck;
    metrics.expectScan();
    metrics.setRecheckLeftOut(0);
    const following = followStored(recheck, {
      client,
      exempt,
      onProblem: (message) => log.warn(message),
      onUnseen: (interval) => reportUnseen(interval, telemetry),
      seenBefore: timeOf(leadership.ledBefore?.()),
    });
    try {
      await recheck.run(AbortSignal.any([leading, ended.signal]));
    } finally {
      present = undefined;
      metrics.setNoncompliant([]);
      metrics.setRecheckLeftOut(undefined);
      status.setStandings(undefined);
      await following.close();
    }
  };
  const look = (): void => {
    const leading = leadership.leadingSignal();
    if (leading === undefined || leading === led || ended.signal.aborted) return;
    led = leading;
    running = running.then(() => lead(leading)).catch((error: unknown) => log.error("problem", { error }));
  };
  leadership.onChange(look);
  look();
  return {
    policiesChanged: () => present?.policiesChanged(),
    namespaceChanged: (name) => present?.namespaceChanged(name),
    close: async () => {
      ended.abort();
      await running;
    },
  };
}
