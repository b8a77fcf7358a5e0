import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster } from "./cluster.ts";
import { policies, type Part } from "./material.ts";
import { askReplica, replicas, type Replica } from "./replicas.ts";

/** Gives a policy other publishers. */
export const setPublisher = ({ api }: Cluster, name: string, pem: string): Promise<unknown> =>
  api.json("PATCH", `${policies}/${name}`, { spec: { publishers: [{ name: "team", publicKey: { pem } }] } });

/** Milliseconds until every replica, asked directly, has answered as wanted; each replica's own time. */
export async function untilDecided(
  cluster: Cluster,
  pod: Part,
  wanted: (answer: { readonly allowed: boolean; readonly message: string }) => boolean,
): Promise<readonly number[]> {
  const began = performance.now();
  const all = await replicas(cluster);
  return await Promise.all(
    all.map(async (replica) => {
      for (;;) {
        const answer = await askReplica(cluster, replica, pod).catch((error: unknown) => String(error));
        const answered = performance.now() - began;
        if (typeof answer !== "string" && wanted(answer)) return answered;
        if (answered > 30_000)
          throw new Error(`${replica.name} still says after 30 s: ${JSON.stringify(answer)}`);
        await sleep(20);
      }
    }),
  );
}

/**
 * Asks every replica about a pod again and again until it is stopped. Which replicas there are is known while there is
 * no API server, too: pods do not come and go without one.
 * @throws Error where one of them let it in, or where nobody ever answered
 */
export function neverAdmitted(cluster: Cluster, pod: Part): { stop(): Promise<number> } {
  const ended = new AbortController();
  let asked = 0;
  let admitted = 0;
  let known: readonly Replica[] = [];
  const running = (async () => {
    while (!ended.signal.aborted) {
      known = await replicas(cluster).catch(() => known);
      for (const replica of known) {
        const answer = await askReplica(cluster, replica, pod).catch(() => undefined);
        if (answer === undefined) continue;
        asked += 1;
        if (answer.allowed) admitted += 1;
      }
      await sleep(20);
    }
  })();
  return {
    stop: async () => {
      ended.abort();
      await running;
      if (asked === 0) throw new Error("no replica answered any question");
      if (admitted > 0) throw new Error(`${admitted} of ${asked} answers let in what had to be denied`);
      return asked;
    },
  };
}
