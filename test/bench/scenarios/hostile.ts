import { setTimeout as sleep } from "node:timers/promises";
import type { ApiClient } from "../cluster/api-client.ts";
import { path, startGovernedCluster } from "../cluster/governed-cluster.ts";
import { probeStops, type LongestStop, type StopProbe } from "../load/stop-probe.ts";
import { hostileShapes, type HostileShape } from "../material/hostile.ts";
import { governed } from "../material/reviews.ts";
import { makeKey } from "../material/skills.ts";
import { cpuSeconds, residentBytes } from "../servers/process-figures.ts";
import type { Server } from "../servers/server.ts";
import { mebibytes, time, type Section } from "../table.ts";

const connections = 32;
const longestStop = 100;
const mostMemory = 128 * 2 ** 20;
/** Milliseconds between two looks at the memory. */
const look = 10;

interface Found {
  readonly title: string;
  readonly stop: LongestStop;
  /** Milliseconds. */
  readonly took: number;
  /** Seconds of processor time of our process. */
  readonly cpu: number;
  /** Resident bytes above those before. */
  readonly peak: number;
  readonly answers: string;
}

/** Watches the memory of a process; the returned function ends that and gives the most it was. */
function watchPeak(pid: number): () => number {
  let most = residentBytes(pid).now;
  const watching = setInterval(() => (most = Math.max(most, residentBytes(pid).now)), look);
  return () => {
    clearInterval(watching);
    return most;
  };
}

async function createAll(api: ApiClient, { configMaps }: HostileShape): Promise<void> {
  for (const configMap of configMaps) await api.post(path(governed, "configmaps"), configMap);
}

async function ask(api: ApiClient, { pods, update }: HostileShape): Promise<readonly number[]> {
  const asked = pods.map((pod) => api.ask("POST", path(governed, "pods", "?dryRun=All"), pod));
  if (update !== undefined) {
    const { name } = (update as { readonly metadata: { readonly name: string } }).metadata;
    asked.push(api.ask("PUT", path(governed, "configmaps", `/${name}?dryRun=All`), update));
  }
  return (await Promise.all(asked)).map(({ status }) => status);
}

async function measure(shape: HostileShape, api: ApiClient, ours: Server, probe: StopProbe): Promise<Found> {
  await createAll(api, shape);
  // What the API server sent of earlier shapes is garbage by now; a new peak is not to count it.
  await sleep(2000);
  await probe.longest();
  const before = { cpu: cpuSeconds(ours.pid), memory: residentBytes(ours.pid).now };
  const peak = watchPeak(ours.pid);
  const started = performance.now();
  const statuses = await ask(api, shape);
  const took = performance.now() - started;
  await sleep(100);
  return {
    title: shape.title,
    took,
    stop: await probe.longest(),
    cpu: cpuSeconds(ours.pid) - before.cpu,
    peak: peak() - before.memory,
    answers: [...Map.groupBy(statuses, (status) => status)]
      .map(([status, all]) => `${all.length} × ${status}`)
      .join(", "),
  };
}

/** Hostile objects through a real API server: how long our process answers nothing else, and what it takes in memory. */
export async function hostile(_scratch: string, progress: (text: string) => void): Promise<Section> {
  progress("hostile: starting");
  const { api, ours, stop } = await startGovernedCluster(makeKey(), connections);
  const probe = probeStops(ours);
  const found: Found[] = [];
  try {
    const idle = residentBytes(ours.pid).now;
    await sleep(1000);
    for (const shape of hostileShapes()) {
      progress(`hostile: ${shape.title}`);
      found.push(await measure(shape, api, ours, probe));
    }
    const overIdle = residentBytes(ours.pid).peak - idle;
    const longest = Math.max(...found.map((one) => one.stop.processor));
    return {
      id: "hostile",
      aims: [
        {
          figure: "longest stop: work while a question waits",
          measured: time(longest),
          aim: `≤ ${longestStop} ms`,
          met: longest <= longestStop,
        },
        {
          figure: "most memory above idle, over all shapes",
          measured: mebibytes(overIdle),
          aim: `≤ ${mebibytes(mostMemory)}`,
          met: overIdle <= mostMemory,
        },
      ],
      tables: [
        {
          columns: [
            "Shape",
            "longest stop",
            "by the clock",
            "until answered",
            "processor",
            "memory",
            "answers",
          ],
          rows: found.map(({ title, took, cpu, peak, answers, ...one }) => [
            title,
            time(one.stop.processor),
            time(one.stop.clock),
            time(took),
            time(cpu * 1000),
            mebibytes(Math.max(0, peak)),
            answers,
          ]),
        },
      ],
      notes: [
        "Each shape once, as a tenant would send it: ConfigMaps are created, pods are dry runs. A thread beside asks /healthz every 5 ms. Its longest wait stands there by the clock, which holds the delays of a busy machine too; the longest stop is the most processor time that our main thread took while a question waited.",
      ],
    };
  } finally {
    await probe.stop();
    await stop();
  }
}
