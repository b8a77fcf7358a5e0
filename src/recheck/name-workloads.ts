import { nextTurn } from "../evaluation/yield-to-event-loop.ts";
import { describeRef } from "../kubernetes/volume-object.ts";
import type { Shortfall } from "./judge-pod.ts";
import type { RecheckDeps } from "./ports.ts";
import { readersOf } from "./readers.ts";
import type { RecentVersions } from "./recent-versions.ts";
import type { Wanted } from "./shape-work.ts";
import type { Workloads } from "./workloads.ts";

/** Workloads that are named without a pause. */
const atATime = 20;

interface NamingDeps extends Pick<RecheckDeps, "onNotice"> {
  readonly recent: RecentVersions;
  readonly workloads: Workloads;
}

/** Names the workloads of a shape that have not been named for this yet. */
export async function nameWorkloads(
  { shape, version }: Wanted,
  shortfalls: readonly Shortfall[],
  { recent, workloads, onNotice }: NamingDeps,
  signal: AbortSignal,
): Promise<void> {
  const end = version === undefined ? undefined : recent.replacedBy(version);
  const readers = readersOf(shape, version, end);
  const replaced = version === undefined || end === undefined ? undefined : describeRef(version.ref);
  const notices = await workloads.notices(readers, shortfalls, replaced, signal);
  for (const [index, notice] of notices.entries()) {
    onNotice(notice);
    // Each is a line of the log, and a change of one ConfigMap may concern thousands.
    if (index % atATime === atATime - 1) await nextTurn();
  }
}
