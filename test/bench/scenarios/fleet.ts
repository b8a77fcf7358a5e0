import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { path, startGovernedCluster } from "../cluster/governed-cluster.ts";
import { startLoad, type Load } from "../load/load.ts";
import { fleetOf, type Fleet } from "../material/fleet.ts";
import { governed } from "../material/reviews.ts";
import { makeKey } from "../material/skills.ts";
import type { Server } from "../servers/server.ts";
import { ended } from "./recheck.ts";
import { median, quantile } from "../statistics.ts";
import { percent, time, type Aim, type Section } from "../table.ts";

const pods = 2_000;
const versions = 60;
const rounds = 200;
const connections = 16;

type Change = keyof Fleet["changes"];

/** What changes, what it may take, in milliseconds, and what every answer must have. */
const changes: readonly {
  readonly change: Change;
  readonly title: string;
  readonly limit: number;
  readonly expect: string;
}[] = [
  { change: "label", title: "a label", limit: 10, expect: '"allowed":true' },
  { change: "noSkill", title: "bytes of no skill", limit: 10, expect: '"allowed":true' },
  { change: "signed", title: "bytes of one of 12 skills, signed", limit: 300, expect: '"allowed":true' },
  {
    change: "unsigned",
    title: "bytes of one of 12 skills, not signed",
    limit: 300,
    expect: "1 of 1 skill failed",
  },
];

interface Measured {
  readonly first: number;
  readonly latencies: readonly number[];
  /** Milliseconds of processor time of our process for each. */
  readonly processor: number;
}

interface Asking {
  readonly load: Load;
  readonly server: Server;
  readonly scratch: string;
}

async function measure(
  fleet: Fleet,
  at: (typeof changes)[number],
  { load, server, scratch }: Asking,
): Promise<Measured> {
  const lines = fleet.changes[at.change];
  const reviews = join(scratch, `${at.change}.ndjson`);
  await writeFile(reviews, `${lines.join("\n")}\n`);
  const job = { reviews, connections: 1, expect: at.expect };
  const loaded = await load.run(server, lines.length > 1 ? job : { ...job, total: rounds });
  const [first = Number.NaN, ...latencies] = loaded.latencies;
  return { first, latencies, processor: (loaded.serverCpuSeconds * 1000) / loaded.reviews };
}

async function store(
  fleets: readonly Fleet[],
  post: (where: string, object: object) => Promise<unknown>,
): Promise<void> {
  for (const { configMaps, pods: all } of fleets) {
    for (const configMap of configMaps) await post(path(governed, "configmaps"), configMap);
    const waiting = all.values();
    const worker = async (): Promise<void> => {
      for (const pod of waiting) await post(path(governed, "pods"), pod);
    };
    await Promise.all(Array.from({ length: connections }, worker));
  }
}

interface Row {
  readonly title: string;
  readonly limit: number;
  readonly one: Measured;
  readonly all: Measured;
}

const aimsOf = ({ title, limit, all }: Row): readonly Aim[] =>
  ([0.5, 0.99] as const).map((share) => {
    const ratio = quantile(all.latencies, share) / limit;
    return {
      figure: `changed ${title}: p${share * 100}, of its limit of ${limit} ms`,
      measured: percent(ratio),
      aim: "≤ 100 %",
      met: ratio <= 1,
    };
  });

const rowOf = ({ title, limit, one, all }: Row): readonly string[] => [
  title,
  time(median(one.latencies)),
  time(median(all.latencies)),
  `${(median(all.latencies) / median(one.latencies)).toFixed(2)}×`,
  time(quantile(all.latencies, 0.99)),
  time(all.first),
  time(all.processor),
  time(limit),
];

/** Changes of a ConfigMap that 2,000 pods of one template mount, beside those of one that a single pod mounts. */
export async function fleet(scratch: string, progress: (text: string) => void): Promise<Section> {
  progress(`fleet: storing ${pods} pods`);
  const key = makeKey();
  const single = fleetOf("single", key, 1, versions);
  const whole = fleetOf("fleet", key, pods, versions);
  const { ours, stop } = await startGovernedCluster(key, connections, (api) =>
    store([single, whole], (where, object) => api.post(where, object)),
  );
  const load = startLoad();
  try {
    // The leader looks at all of it when it begins: that is another section's figure.
    await ended(ours, 1);
    const asking = { load, server: ours, scratch };
    const rows: Row[] = [];
    for (const at of changes) {
      progress(`fleet: ${at.title}`);
      // The fleet first: what it finds is remembered, and the single pod has objects of its own.
      const all = await measure(whole, at, asking);
      rows.push({ ...at, all, one: await measure(single, at, asking) });
    }
    return {
      id: "fleet",
      aims: rows.flatMap(aimsOf),
      tables: [
        {
          columns: [
            "A ConfigMap changes by",
            "under one pod, p50",
            `under ${pods.toLocaleString("en-US")}, p50`,
            "of one pod's",
            "p99",
            "first",
            "processor",
            "limit",
          ],
          rows: rows.map(rowOf),
        },
      ],
      notes: [
        `${pods.toLocaleString("en-US")} pods of one template beside a real API server, each with 12 skills of 55 KiB in 12 ConfigMaps and a token's volume of its own name. Updates of one ConfigMap are sent to the webhook over one connection, as dry runs; the other eleven are read from the API server for each. \`first\` is the first of its kind after the start. Labels are measured here though the API server asks about none. ${versions} signed versions, each another; of the others ${rounds} reviews, where bytes change with each but for the label.`,
      ],
    };
  } finally {
    load.stop();
    await stop();
  }
}
