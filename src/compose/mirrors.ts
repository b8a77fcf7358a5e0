import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster, MirrorSource } from "../cluster/cluster.ts";
import type { Config } from "../config.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import { noMirrors, refusals } from "../tuf/no-mirrors.ts";

/** Time limit of one request to a mirror with its whole answer, milliseconds. */
const requestLimit = 10_000;

/** Opens the TUF mirrors that the configuration names. Without any, TUF's code is not loaded. */
export async function openMirrors(
  { tuf: { mirrors, cache } }: Config,
  { log, metrics }: Telemetry,
): Promise<MirrorSource & { readonly close: () => Promise<void> }> {
  const tell = refusals(mirrors, (message) => log.warn(message));
  if (mirrors.length === 0) return { ...noMirrors, follow: tell };
  const { createTufMirrors } = await import("../tuf/tuf-mirrors.ts");
  const followed = createTufMirrors({
    allowed: mirrors,
    folder: cache,
    clock: {
      now: () => Date.now(),
      random: () => Math.random(),
      sleep: (milliseconds, signal) => sleep(milliseconds, undefined, { signal }).catch(() => undefined),
    },
    deadline: () => AbortSignal.timeout(requestLimit),
    onProblem: (message) => log.warn(message),
    onRecovered: (message) => log.info(message),
    onState: (entries) => metrics.setMirrors(entries),
  });
  return {
    follow: (references) => {
      tell(references);
      followed.follow(references);
    },
    read: (reference) => followed.read(reference),
    pending: () => followed.pending(),
    onChange: (changed) => followed.onChange(changed),
    close: () => followed.close(),
  };
}

/** A cluster that closes its mirrors with itself. */
export const closing = <C extends Cluster>(
  cluster: C,
  mirrors: { readonly close: () => Promise<void> },
): C => ({
  ...cluster,
  close: async () => {
    await cluster.close();
    await mirrors.close();
  },
});
