import type { Load, Loaded } from "../load/load.ts";
import type { Server } from "../servers/server.ts";
import { median, quantile, spread } from "../statistics.ts";
import { figure, percent, time } from "../table.ts";

export const rounds = 5;
export const seconds = 1;
export const connectionCounts = [1, 16] as const;
/** Reviews of each kind before anything is measured: after two seconds the compiler is still at work. */
const warmUp = 20_000;
/** Cold skills for one round at one number of connections. */
export const coldPerRun = 120;

/** One kind of review that is sent. */
export interface Kind {
  readonly title: string;
  /** File with the reviews, a line each. */
  readonly reviews: string;
  /** What the product's answers must have. */
  readonly expect: string;
  /** Share of the bare server's reviews per processor second that it should reach, over sixteen connections. */
  readonly aim?: number;
  /** The same for a server at log level info, which writes a line for each; absent: it is not asked. */
  readonly aimAtInfo?: number;
  /** Milliseconds within which 99 of 100 reviews over one connection should be answered. */
  readonly p99?: number;
  /** Reviews that warm it up, default `warmUp`. */
  readonly warm?: number;
  /** Is every review sent once only. */
  readonly once?: boolean;
}

const allowed = '"allowed":true';

/** Of the tables of reviews; behind them each has one that compares. */
export const columns = [
  "Review",
  "Connections",
  "Server",
  "p50",
  "p99",
  "reviews/s",
  "per CPU second",
  "spread",
];

interface Cell {
  readonly runs: Loaded[];
}

const perSecond = ({ reviews, seconds: taken }: Loaded): number => reviews / taken;
const perCpuSecond = ({ reviews, serverCpuSeconds }: Loaded): number => reviews / serverCpuSeconds;

export interface Measured {
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

export const pooled = ({ runs }: Cell): readonly number[] => runs.flatMap(({ latencies }) => [...latencies]);

/** @param names of our server, and of the one that is measured in turn with it */
export function rows(
  { kind, connections, ours, bare }: Measured,
  names: readonly [string, string] = ["skill-admission", "bare express"],
): readonly (readonly string[])[] {
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
    [...of(names[0], ours), share],
    [...of(names[1], bare), "100 %"],
  ];
}

/** Our share of the bare server's reviews per processor second; the median over rounds, each with its neighbour. */
export const ratio = ({ ours, bare }: Measured): number =>
  median(ours.runs.map((run, at) => perCpuSecond(run) / perCpuSecond(bare.runs[at] ?? run)));

export async function measureKinds(
  load: Load,
  servers: { readonly ours: Server; readonly bare: Server },
  kinds: readonly Kind[],
  progress: (text: string) => void,
): Promise<readonly Measured[]> {
  for (const kind of kinds) {
    progress(`reviews: warming up, ${kind.title}`);
    const warm = kind.once ? { count: coldPerRun } : { total: kind.warm ?? warmUp };
    await load.run(servers.ours, { connections: 4, reviews: kind.reviews, expect: kind.expect, ...warm });
    await load.run(servers.bare, { connections: 4, reviews: kind.reviews, expect: allowed, ...warm });
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
