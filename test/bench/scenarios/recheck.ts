import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ApiClient } from "../cluster/api-client.ts";
import { path, startGovernedCluster } from "../cluster/governed-cluster.ts";
import { startLoad, type Load } from "../load/load.ts";
import { governance, governed, pack, podOf, podReview, type Packed } from "../material/reviews.ts";
import { makeKey, signedSkill, sizes, type BenchKey } from "../material/skills.ts";
import type { Server } from "../servers/server.ts";
import { quantile } from "../statistics.ts";
import { figure, time, type Section } from "../table.ts";

const pods = 10_000;
const skills = 200;
/** Connections that create what is stored, and that send reviews. */
const connections = 16;
const reviewers = 4;
const seconds = 20;
const longestPass = 60;

const policyPath = `/apis/skill-admission.dev/v1alpha1/clusterskillpolicies/${governed}`;

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const waiting = items.values();
  const worker = async (): Promise<void> => {
    for (const item of waiting) await work(item);
  };
  await Promise.all(Array.from({ length: connections }, worker));
}

async function store(api: ApiClient, packed: readonly Packed[]): Promise<void> {
  await inParallel(
    packed.flatMap(({ configMaps }) => configMaps),
    (object) => api.post(path(governed, "configmaps"), object),
  );
  const all = Array.from({ length: pods }, (_, at) => podOf(`agent-${at}`, [packed[at % skills]!]));
  await inParallel(all, (pod) => api.post(path(governed, "pods"), pod));
}

interface Passes {
  readonly count: number;
  /** Of all passes together. */
  readonly seconds: number;
  readonly success: number;
}

async function passes({ metricsPort }: Server): Promise<Passes> {
  const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  const value = (name: string): number =>
    Number(new RegExp(`^skill_admission_background_scan_${name} (\\S+)$`, "m").exec(text)?.[1] ?? 0);
  return {
    count: value("duration_seconds_count"),
    seconds: value("duration_seconds_sum"),
    success: value("last_success_timestamp_seconds"),
  };
}

/** Waits until everything that is stored has been looked at so many times. */
export async function ended(server: Server, count: number): Promise<Passes> {
  const limit = performance.now() + 10 * longestPass * 1000;
  for (;;) {
    const found = await passes(server);
    if (found.count >= count) return found;
    if (performance.now() > limit) throw new Error(`no pass ended within ${10 * longestPass} s`);
    await sleep(100);
  }
}

/** Has everything judged anew without anything that is remembered: another key is trusted each time. */
async function trustOneMore(api: ApiClient, key: BenchKey): Promise<void> {
  const { body } = await api.ask("GET", policyPath);
  const [, policy] = governance(key.publicPem) as [
    object,
    { readonly spec: { readonly publishers: readonly object[] } },
  ];
  const { metadata } = JSON.parse(body) as { readonly metadata: object };
  const another = { name: "another", publicKey: { pem: makeKey().publicPem } };
  const spec = { ...policy.spec, publishers: [...policy.spec.publishers, another] };
  const { status } = await api.ask("PUT", policyPath, { ...policy, metadata, spec });
  // Somebody wrote the status meanwhile.
  if (status === 409) return trustOneMore(api, key);
  if (status !== 200) throw new Error(`PUT ${policyPath}: ${status}`);
}

async function latencies(load: Load, server: Server, reviews: string): Promise<readonly number[]> {
  const job = { reviews, connections: reviewers, seconds, expect: '"allowed":true' };
  return [...(await load.run(server, job)).latencies];
}

/** Judges everything again and again until the work is done. */
async function meanwhile<T>(work: Promise<T>, again: () => Promise<unknown>): Promise<T> {
  const state = { isDone: false };
  const finished = work.finally(() => (state.isDone = true));
  while (!state.isDone) await again();
  return finished;
}

/** A look at everything that is stored, and what it costs the reviews that come meanwhile. */
export async function recheck(scratch: string, progress: (text: string) => void): Promise<Section> {
  progress(`recheck: storing ${pods} pods with ${skills} skills`);
  const key = makeKey();
  const packed = Array.from({ length: skills }, (_, at) =>
    pack(signedSkill(`skill-${at}`, { key, size: sizes.median })),
  );
  const { api, ours, stop } = await startGovernedCluster(key, connections, (client) => store(client, packed));
  const load = startLoad();
  try {
    const first = await ended(ours, 1);
    const reviews = join(scratch, "recheck.ndjson");
    const asked = packed.slice(0, 20).map((one, at) => podReview(podOf(`asked-${at}`, [one])));
    await writeFile(reviews, `${asked.join("\n")}\n`);
    progress("recheck: reviews while nothing else is done");
    await latencies(load, ours, reviews);
    const idle = await latencies(load, ours, reviews);
    progress("recheck: reviews while everything is judged anew");
    let count = first.count;
    const busy = await meanwhile(latencies(load, ours, reviews), async () => {
      await trustOneMore(api, key);
      await ended(ours, (count += 1));
    });
    const last = await passes(ours);
    const mean = (last.seconds - first.seconds) / (last.count - first.count);
    const [before, during] = [quantile(idle, 0.99), quantile(busy, 0.99)];
    return {
      id: "recheck",
      aims: [
        {
          figure: `first look at ${pods.toLocaleString("en-US")} pods with ${skills} different skills, the list included`,
          measured: `${figure(first.seconds)} s`,
          aim: `≤ ${longestPass} s`,
          met: first.seconds <= longestPass && first.success > 0,
        },
        {
          figure: "p99 of reviews meanwhile, of that while nothing else is done",
          measured: `${(during / before).toFixed(2)}×`,
          aim: "≤ 2×",
          met: during <= 2 * before,
        },
      ],
      tables: [
        {
          columns: ["Reviews of a pod with a signed skill", "p50", "p99", "longest", "reviews per second"],
          rows: (
            [
              ["nothing else is done", idle],
              ["everything is judged anew, again and again", busy],
            ] as const
          ).map(([title, values]) => [
            title,
            time(quantile(values, 0.5)),
            time(quantile(values, 0.99)),
            time(quantile(values, 1)),
            figure(values.length / seconds),
          ]),
        },
      ],
      notes: [
        `Skills of 55 KiB, one ConfigMap each. Reviews come over ${reviewers} connections, one after the other on each, for ${seconds} s. Each of the ${last.count - first.count} later looks began with another key that is trusted, so that no evidence was remembered, neither for it nor for reviews; it took ${figure(mean)} s in the mean.`,
      ],
    };
  } finally {
    load.stop();
    await stop();
  }
}
