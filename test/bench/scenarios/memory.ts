import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { path, startGovernedCluster } from "../cluster/governed-cluster.ts";
import { startLoad, type Load } from "../load/load.ts";
import { configMapCreation, list, pack, podOf } from "../material/reviews.ts";
import { makeKey, signedSkill, sizes, type BenchKey, type Size } from "../material/skills.ts";
import { residentBytes } from "../servers/process-figures.ts";
import { productionFlags, startBare, startProduct, type Server } from "../servers/server.ts";
import { median, spread } from "../statistics.ts";
import { mebibytes, time, type Aim, type Section } from "../table.ts";
import { prepareCached } from "./reviews.ts";
import type { Kind } from "./side-by-side.ts";

const starts = 7;
const loadSeconds = 4;
const batches = 10;
const batchSize = 1000;
const connections = 16;
const limit = 64 * 2 ** 20;
const allowed = '"allowed":true';

interface Pair {
  readonly ours: Server;
  readonly bare: Server;
}

/** Start to ready, each in turn with the bare server. */
async function startTimes(
  state: string,
  scratch: string,
): Promise<{ readonly ours: number[]; readonly bare: number[] }> {
  const found = { ours: [] as number[], bare: [] as number[] };
  for (let round = 0; round < starts; round += 1) {
    const ours = await startProduct(["--state", state]);
    found.ours.push(ours.ready);
    await ours.stop();
    const bare = await startBare(scratch);
    found.bare.push(bare.ready);
    await bare.stop();
  }
  return found;
}

/** Resident bytes of both servers after one step of the load. */
interface Step {
  readonly after: string;
  readonly ours: number;
  readonly bare: number;
}

const step = (after: string, { ours, bare }: Pair): Step => ({
  after,
  ours: residentBytes(ours.pid).now,
  bare: residentBytes(bare.pid).now,
});

async function underLoad(load: Load, servers: Pair, kinds: readonly Kind[]): Promise<readonly Step[]> {
  const steps = [step("start", servers)];
  for (const { title, reviews, expect } of kinds) {
    await load.run(servers.bare, { connections, reviews, seconds: loadSeconds, expect: allowed });
    await load.run(servers.ours, { connections, reviews, seconds: loadSeconds, expect });
    steps.push(step(title, servers));
  }
  return steps;
}

/** A ConfigMap of a fixed name that a running pod mounts, with other bytes for every serial number. */
function streamed(key: BenchKey, size: Size, serial: number): object {
  const [configMap] = pack(signedSkill("streamed", { key, size, serial })).configMaps;
  return { ...configMap, immutable: false, metadata: { name: "streamed", namespace: "payments" } };
}

/** The running pod, as the folder of manifests has it. */
function podWithStream(key: BenchKey): object {
  const packed = pack(signedSkill("streamed", { key, size: sizes.median }));
  const [name = ""] = packed.configMaps.map(({ metadata }) => metadata.name);
  return JSON.parse(JSON.stringify(podOf("runner", [packed])).replaceAll(name, "streamed")) as object;
}

/** Ten thousand different skills of median size, each in a ConfigMap that a running pod would see. */
async function distinct(load: Load, servers: Pair, key: BenchKey, scratch: string): Promise<readonly Step[]> {
  const steps: Step[] = [];
  for (let batch = 0; batch < batches; batch += 1) {
    const reviews = join(scratch, `batch-${batch}.ndjson`);
    const lines = Array.from({ length: batchSize }, (_, at) =>
      configMapCreation(streamed(key, sizes.median, 1 + batch * batchSize + at)),
    );
    await writeFile(reviews, lines.join("\n"));
    await load.run(servers.bare, { connections, reviews, expect: allowed });
    await load.run(servers.ours, { connections, reviews, expect: allowed });
    await rm(reviews);
    steps.push(step(`${((batch + 1) * batchSize).toLocaleString("en-US")} skills`, servers));
  }
  return steps;
}

async function inParallel(count: number, work: (at: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let at = next++; at < count; at = next++) await work(at);
  };
  await Promise.all(Array.from({ length: connections }, worker));
}

/** The same on a live cluster: the skills lie in ConfigMaps, which our process reads when a pod is reviewed. */
async function live(progress: (text: string) => void): Promise<readonly Step[]> {
  const key = makeKey();
  const { api, ours, stop } = await startGovernedCluster(key, connections);
  const steps: Step[] = [];
  const note = (after: string): void =>
    void steps.push({ after, ours: residentBytes(ours.pid).now, bare: Number.NaN });
  try {
    note("start");
    for (let batch = 0; batch < batches; batch += 1) {
      progress(`memory: live, ${batch * batchSize} skills`);
      await inParallel(batchSize, async (at) => {
        const serial = batch * batchSize + at;
        const packed = pack(signedSkill(`live-${serial}`, { key, size: sizes.small, serial }));
        for (const configMap of packed.configMaps) await api.post(path("payments", "configmaps"), configMap);
        await api.post(path("payments", "pods", "?dryRun=All"), podOf(`live-${serial}`, [packed]));
      });
      note(`${((batch + 1) * batchSize).toLocaleString("en-US")} skills`);
    }
    return steps;
  } finally {
    await stop();
  }
}

interface Found {
  readonly times: { readonly ours: readonly number[]; readonly bare: readonly number[] };
  readonly loaded: readonly Step[];
  readonly streamed: readonly Step[];
  readonly live: readonly Step[];
  readonly peak: number;
  readonly barePeak: number;
}

/** The last three batches against the three before the middle: what still grows there grows for ever. */
function growth(steps: readonly Step[]): number {
  const of = (from: number, to: number): number => median(steps.slice(from, to).map(({ ours }) => ours));
  return of(steps.length - 3, steps.length) - of(steps.length - 8, steps.length - 5);
}

function aimsOf({ times, loaded, streamed: stream, live: onCluster }: Found): readonly Aim[] {
  const over = (steps: readonly Step[]): number => {
    const last = steps.at(-1);
    return last === undefined ? Number.NaN : last.ours - last.bare;
  };
  const ready = median(times.ours);
  const flat = 16 * 2 ** 20;
  return [
    {
      figure: "resident memory over the bare server's, under the load of reviews",
      measured: mebibytes(over(loaded)),
      aim: "≤ 64 MiB",
      met: over(loaded) <= limit,
    },
    {
      figure: "the same after 10,000 different skills",
      measured: mebibytes(over(stream)),
      aim: "≤ 64 MiB",
      met: over(stream) <= limit,
    },
    {
      figure: "growth from the 3rd–5th to the 8th–10th thousand of skills",
      measured: mebibytes(growth(stream)),
      aim: "flat (≤ 16 MiB)",
      met: growth(stream) <= flat,
    },
    {
      figure: "the same on a live cluster",
      measured: mebibytes(growth(onCluster)),
      aim: "flat (≤ 16 MiB)",
      met: growth(onCluster) <= flat,
    },
    { figure: "start to ready", measured: time(ready), aim: "≤ 1,000 ms", met: ready <= 1000 },
  ];
}

const stepRow = ({ after, ours, bare }: Step): readonly string[] => [
  after,
  mebibytes(ours),
  mebibytes(bare),
  mebibytes(ours - bare),
];

/** Resident memory and start, beside the bare server. */
export async function memory(scratch: string, progress: (text: string) => void): Promise<Section> {
  progress("memory: preparing");
  const { state, kinds, key } = await prepareCached(scratch);
  await writeFile(join(state, "runner.json"), list([podWithStream(key)]));
  const [original] = pack(signedSkill("streamed", { key, size: sizes.median })).configMaps;
  await writeFile(join(state, "streamed.json"), list([{ ...original, ...streamed(key, sizes.median, 0) }]));
  progress("memory: starting");
  const times = await startTimes(state, scratch);
  const load = startLoad();
  const servers = { ours: await startProduct(["--state", state]), bare: await startBare(scratch) };
  let found: Found;
  try {
    progress("memory: load of reviews");
    const loaded = await underLoad(load, servers, kinds);
    progress("memory: 10,000 different skills");
    const stream = await distinct(load, servers, key, scratch);
    const [peak, barePeak] = [residentBytes(servers.ours.pid).peak, residentBytes(servers.bare.pid).peak];
    found = { times, loaded, streamed: stream, live: [], peak, barePeak };
  } finally {
    load.stop();
    await servers.ours.stop();
    await servers.bare.stop();
  }
  progress("memory: live cluster");
  found = { ...found, live: await live(progress) };
  return {
    id: "memory",
    aims: aimsOf(found),
    tables: [
      {
        columns: ["Resident after", "skill-admission", "bare express", "difference"],
        rows: [...found.loaded, ...found.streamed].map(stepRow),
      },
      {
        columns: ["On a live cluster, resident after", "skill-admission"],
        rows: found.live.map((each) => stepRow(each).slice(0, 2)),
      },
    ],
    notes: [
      `One process each from start to end. Ours is started as the image starts it, with ${productionFlags.join(" ")}; the bare server with Node's defaults, which let the heap grow while there is memory. ${loadSeconds} s of each kind of review over ${connections} connections; then ${(batches * batchSize).toLocaleString("en-US")} reviews that each bring a different signed skill of median size, as a ConfigMap that a running pod mounts. Both servers get the same bytes. The most that was ever resident: ${mebibytes(found.peak)}, bare ${mebibytes(found.barePeak)}. Without a cluster our process also holds the folder of manifests, here 20 MiB of skills, as text and as bytes.`,
      `On the live cluster: a small signed skill in a ConfigMap of its own and a pod that mounts it, ${(batches * batchSize).toLocaleString("en-US")} times.`,
      `Start to ready: ${time(median(found.times.ours))} (±${Math.round(spread(found.times.ours) * 100)} %) on a folder of manifests with 20 MiB of skills, the bare server ${time(median(found.times.bare))}; ${starts} starts each, in turn.`,
    ],
  };
}
