import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startLoad, type Load, type Loaded } from "../load/load.ts";
import { governance, list, pack, podOf, podReview } from "../material/reviews.ts";
import { makeKey, signedSkill, sizes, type BenchKey, type Size } from "../material/skills.ts";
import { startBare, startProduct, type Server } from "../servers/server.ts";
import { median, quantile, spread } from "../statistics.ts";
import { figure, percent, time, type Aim, type Section } from "../table.ts";

const rounds = 3;
const seconds = 1;
const connectionCounts = [1, 16] as const;
/** Cold skills for one round at one number of connections. */
const coldPerRun = 120;

/** One kind of review that is sent. */
export interface Kind {
  readonly title: string;
  /** File with the reviews, a line each. */
  readonly reviews: string;
  /** What the product's answers must have. */
  readonly expect: string;
  /** Share of the bare server's reviews per processor second that it should reach. */
  readonly aim?: number;
  /** Is every review sent once only. */
  readonly once?: boolean;
}

const allowed = '"allowed":true';

interface Material {
  readonly key: BenchKey;
  readonly state: string;
}

/** Signs skills, writes their ConfigMaps into the state folder, and gives a pod that mounts them all. */
async function podWith(
  name: string,
  count: number,
  material: Material,
  what: { readonly size: Size; readonly broken?: boolean; readonly serial?: number },
): Promise<string> {
  const packed = Array.from({ length: count }, (_, at) =>
    pack(signedSkill(count === 1 ? name : `${name}-${at}`, { key: material.key, ...what })),
  );
  await Promise.all(
    packed.map(({ configMaps }, at) =>
      writeFile(join(material.state, `${name}-${at}.json`), list(configMaps)),
    ),
  );
  return podReview(podOf(`pod-${name}`, packed));
}

/** The folder of manifests that the server runs on, and the reviews that are sent to it. */
export async function prepareCached(
  scratch: string,
): Promise<{ readonly state: string; readonly kinds: readonly Kind[]; readonly key: BenchKey }> {
  const state = join(scratch, "cached");
  await mkdir(state);
  const key = makeKey();
  const material = { key, state };
  await writeFile(join(state, "policy.json"), list(governance(key.publicPem)));
  const kind = async (file: string, review: string, rest: Omit<Kind, "reviews">): Promise<Kind> => {
    const reviews = join(scratch, `${file}.ndjson`);
    await writeFile(reviews, `${review}\n`);
    return { ...rest, reviews };
  };
  const { median: size, mebibyte } = sizes;
  return {
    state,
    key,
    kinds: [
      await kind("plain", podReview(podOf("plain", [])), {
        title: "pod without skills",
        expect: allowed,
        aim: 0.7,
      }),
      await kind("admitted", await podWith("admitted", 1, material, { size }), {
        title: "one cached skill, admitted",
        expect: allowed,
        aim: 0.35,
      }),
      await kind("denied", await podWith("denied", 1, material, { size, broken: true }), {
        title: "one cached skill, denied",
        expect: "DIGEST_MISMATCH references/part-0.md",
        aim: 0.35,
      }),
      await kind("twenty", await podWith("twenty", 20, material, { size: mebibyte }), {
        title: "20 cached skills of 1 MiB",
        expect: allowed,
      }),
    ],
  };
}

async function prepareCold(scratch: string): Promise<{ readonly state: string; readonly kind: Kind }> {
  const state = join(scratch, "cold");
  await mkdir(state);
  const key = makeKey();
  await writeFile(join(state, "policy.json"), list(governance(key.publicPem)));
  const reviews: string[] = [];
  // One more run's worth warms the code up.
  for (let run = 0; run <= rounds * connectionCounts.length; run += 1) {
    const packed = Array.from({ length: coldPerRun }, (_, at) => {
      const serial = run * coldPerRun + at;
      return pack(signedSkill(`cold-${serial}`, { key, size: sizes.median, serial }));
    });
    for (const [at, each] of packed.entries()) reviews.push(podReview(podOf(`cold-${run}-${at}`, [each])));
    const half = packed.length / 2;
    for (const [at, part] of [packed.slice(0, half), packed.slice(half)].entries()) {
      await writeFile(
        join(state, `cold-${run}-${at}.json`),
        list(part.flatMap(({ configMaps }) => configMaps)),
      );
    }
  }
  const file = join(scratch, "cold.ndjson");
  await writeFile(file, `${reviews.join("\n")}\n`);
  return { state, kind: { title: "one cold skill", reviews: file, expect: allowed, once: true } };
}

interface Cell {
  readonly runs: Loaded[];
}

const perSecond = ({ reviews, seconds: taken }: Loaded): number => reviews / taken;
const perCpuSecond = ({ reviews, serverCpuSeconds }: Loaded): number => reviews / serverCpuSeconds;

interface Measured {
  readonly kind: Kind;
  readonly connections: number;
  readonly ours: Cell;
  readonly bare: Cell;
}

/** Our server and the bare one in turn, round by round, so that what else the machine does meets both. */
async function measure(
  load: Load,
  servers: { readonly ours: Server; readonly bare: Server },
  kind: Kind,
  connections: number,
): Promise<Measured> {
  const measured: Measured = { kind, connections, ours: { runs: [] }, bare: { runs: [] } };
  for (let round = 0; round < rounds; round += 1) {
    const which = connectionCounts.findIndex((count) => count === connections);
    const job = kind.once
      ? {
          first: (1 + round * connectionCounts.length + which) * coldPerRun,
          count: coldPerRun,
        }
      : { seconds };
    const base = { connections, reviews: kind.reviews, ...job };
    measured.bare.runs.push(
      await load.run(servers.bare, { ...base, expect: allowed, ...(kind.once ? { seconds } : {}) }),
    );
    measured.ours.runs.push(await load.run(servers.ours, { ...base, expect: kind.expect }));
  }
  return measured;
}

const pooled = ({ runs }: Cell): readonly number[] => runs.flatMap(({ latencies }) => [...latencies]);

function rows({ kind, connections, ours, bare }: Measured): readonly (readonly string[])[] {
  const of = (name: string, cell: Cell): readonly string[] => {
    const all = pooled(cell);
    return [
      kind.title,
      String(connections),
      name,
      time(quantile(all, 0.5)),
      time(quantile(all, 0.99)),
      figure(median(cell.runs.map(perSecond))),
      figure(median(cell.runs.map(perCpuSecond))),
      `±${percent(spread(cell.runs.map(perCpuSecond)))}`,
    ];
  };
  const share = percent(ratio({ kind, connections, ours, bare }));
  return [
    [...of("skill-admission", ours), share],
    [...of("bare express", bare), "100 %"],
  ];
}

/** Our share of the bare server's reviews per processor second; the median over rounds, each with its neighbour. */
const ratio = ({ ours, bare }: Measured): number =>
  median(ours.runs.map((run, at) => perCpuSecond(run) / perCpuSecond(bare.runs[at] ?? run)));

function aims(all: readonly Measured[]): readonly Aim[] {
  return all.flatMap((measured) => {
    const { kind, connections, ours } = measured;
    if (kind.aim === undefined) return [];
    const share = ratio(measured);
    const what = `${kind.title}, ${connections} connection${connections === 1 ? "" : "s"}`;
    const found: Aim[] = [
      {
        figure: `${what}: reviews per processor second, of the bare server's`,
        measured: percent(share),
        aim: `≥ ${percent(kind.aim)}`,
        met: share >= kind.aim,
      },
    ];
    if (connections === 1) {
      const p99 = quantile(pooled(ours), 0.99);
      found.push({ figure: `${what}: p99`, measured: time(p99), aim: "≤ 1 ms", met: p99 <= 1 });
    }
    return found;
  });
}

async function measureKinds(
  load: Load,
  servers: { readonly ours: Server; readonly bare: Server },
  kinds: readonly Kind[],
  progress: (text: string) => void,
): Promise<readonly Measured[]> {
  for (const kind of kinds) {
    progress(`reviews: warming up, ${kind.title}`);
    const warm = kind.once ? { count: coldPerRun } : { seconds: 2 };
    await load.run(servers.ours, { connections: 4, reviews: kind.reviews, expect: kind.expect, ...warm });
    await load.run(servers.bare, { connections: 4, reviews: kind.reviews, expect: allowed, seconds: 1 });
  }
  const measured: Measured[] = [];
  for (const kind of kinds) {
    for (const connections of connectionCounts) {
      progress(`reviews: ${kind.title}, ${connections} connections`);
      measured.push(await measure(load, servers, kind, connections));
    }
  }
  return measured;
}

/** Reviews over loopback TLS, beside a server that only answers. */
export async function reviews(scratch: string, progress: (text: string) => void): Promise<Section> {
  progress("reviews: signing skills");
  const cached = await prepareCached(scratch);
  const cold = await prepareCold(scratch);
  const load = startLoad();
  const bare = await startBare(scratch);
  const measured: Measured[] = [];
  try {
    for (const { state, kinds } of [cached, { state: cold.state, kinds: [cold.kind] }]) {
      const ours = await startProduct(["--state", state]);
      try {
        measured.push(...(await measureKinds(load, { ours, bare }, kinds, progress)));
      } finally {
        await ours.stop();
      }
    }
  } finally {
    load.stop();
    await bare.stop();
  }
  const own = Math.max(
    ...measured.flatMap(({ bare: { runs } }) => runs.map((run) => run.cpuSeconds / run.seconds)),
  );
  return {
    id: "reviews",
    aims: aims(measured),
    tables: [
      {
        columns: [
          "Review",
          "Connections",
          "Server",
          "p50",
          "p99",
          "reviews/s",
          "per CPU second",
          "spread",
          "of bare",
        ],
        rows: measured.flatMap(rows),
      },
    ],
    notes: [
      `${rounds} rounds of ${seconds} s each (cold: ${coldPerRun} different skills each), our server and the bare one in turn; medians over the rounds, percentiles over all reviews. "of bare" compares reviews per processor second of the server process, all its threads; "spread" is half the distance between the best and the worst round.`,
      `The load is a process of its own on the same machine, with at most ${percent(own)} of one processor; what it costs is in the latencies of both servers, not in their processor seconds.`,
    ],
  };
}
