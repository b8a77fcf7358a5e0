import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startLoad } from "../load/load.ts";
import { podWith } from "../material/pod-with.ts";
import { governance, list, pack, podOf, podReview, podsOf, templatesOf } from "../material/reviews.ts";
import { makeKey, signedSkill, sizes, type BenchKey } from "../material/skills.ts";
import { startBare, startProduct } from "../servers/server.ts";
import { quantile } from "../statistics.ts";
import { figure, percent, time, type Aim, type Section } from "../table.ts";
import { revocationsTable } from "./revocations.ts";
import {
  coldPerRun,
  columns,
  connectionCounts,
  measureKinds,
  pooled,
  ratio,
  rounds,
  rows,
  seconds,
  type Kind,
  type Measured,
} from "./side-by-side.ts";

const allowed = '"allowed":true';
const denied = "DIGEST_MISMATCH references/part-0.md";

/** The reviews that a server at log level info is asked, too. */
const atInfo = (kinds: readonly Kind[]): readonly Kind[] =>
  kinds.flatMap(({ title, reviews, expect, aimAtInfo: aim }) =>
    aim === undefined ? [] : [{ title: `${title}, log level info`, reviews, expect, aim }],
  );

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
      await kind("plain", podReview(podsOf("plain", [])), {
        title: "pod without skills",
        expect: allowed,
        aim: 0.75,
        p99: 1,
      }),
      await kind("admitted", await podWith("admitted", 1, material, { size }), {
        title: "one cached skill, admitted",
        expect: allowed,
        aim: 0.65,
        aimAtInfo: 0.5,
        p99: 1,
      }),
      await kind("first", await podWith("first", 1, material, { size, pods: templatesOf }), {
        title: "the same, each the first pod of its template",
        expect: allowed,
      }),
      await kind("denied", await podWith("denied", 1, material, { size, broken: true }), {
        title: "one cached skill, denied",
        expect: denied,
        aim: 0.45,
        p99: 1,
      }),
      await kind("twenty", await podWith("twenty", 20, material, { size: mebibyte }), {
        title: "20 cached skills of 1 MiB",
        expect: allowed,
        p99: 4,
        warm: 2000,
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

function aims(all: readonly Measured[]): readonly Aim[] {
  return all.flatMap((measured) => {
    const { kind, connections, ours, bare } = measured;
    const what = `${kind.title}, ${connections} connection${connections === 1 ? "" : "s"}`;
    const p99 = quantile(pooled(ours), 0.99);
    const found: Aim[] = [];
    if (kind.p99 !== undefined && connections === 1)
      found.push({
        figure: `${what}: p99`,
        measured: time(p99),
        aim: `≤ ${kind.p99} ms`,
        met: p99 <= kind.p99,
      });
    if (kind.aim === undefined || connections === 1) return found;
    const share = ratio(measured);
    const slower = p99 / quantile(pooled(bare), 0.99);
    found.push(
      {
        figure: `${what}: reviews per processor second, of the bare server's`,
        measured: percent(share),
        aim: `≥ ${percent(kind.aim)}`,
        met: share >= kind.aim,
      },
      {
        figure: `${what}: p99, over the bare server's`,
        measured: `${figure(slower)}×`,
        aim: "≤ 2.5×",
        met: slower <= 2.5,
      },
    );
    return found;
  });
}

/** Reviews over loopback TLS, beside a server that only answers. */
export async function reviews(scratch: string, progress: (text: string) => void): Promise<Section> {
  progress("reviews: signing skills");
  const cached = await prepareCached(scratch);
  const cold = await prepareCold(scratch);
  const load = startLoad();
  const bare = await startBare(scratch);
  const measured: Measured[] = [];
  let revoked: Awaited<ReturnType<typeof revocationsTable>>;
  try {
    const log = join(scratch, "info.log");
    for (const { state, kinds, options } of [
      { ...cached, options: {} },
      { state: cached.state, kinds: atInfo(cached.kinds), options: { log } },
      { state: cold.state, kinds: [cold.kind], options: {} },
    ]) {
      const ours = await startProduct(["--state", state], options);
      try {
        measured.push(...(await measureKinds(load, { ours, bare }, kinds, progress)));
      } finally {
        await ours.stop();
      }
    }
    revoked = await revocationsTable(scratch, load, progress);
  } finally {
    load.stop();
    await bare.stop();
  }
  const own = Math.max(
    ...measured.flatMap(({ bare: { runs } }) => runs.map((run) => run.cpuSeconds / run.seconds)),
  );
  return {
    id: "reviews",
    aims: [...aims(measured), ...revoked.aims],
    tables: [
      {
        columns: [...columns, "of bare"],
        rows: measured.flatMap((each) => rows(each)),
      },
      revoked.table,
    ],
    notes: [
      `${rounds} rounds of ${seconds} s each (cold: ${coldPerRun} different skills each), our server and the bare one in turn; medians over the rounds, percentiles over all reviews. "of bare" compares reviews per processor second of the server process, all its threads; "spread" is half the distance between the best and the worst round.`,
      "Every review is of another pod, with a name, and a name of its token's volume, of its own, as a controller makes them of one template. At log level warn, unless a row says otherwise; at info each review of a skill writes a line, here into a file. Before each kind is measured, it is sent 20,000 times (20 skills: 2,000).",
      `The load is a process of its own on the same machine, with at most ${percent(own)} of one processor; what it costs is in the latencies of both servers, not in their processor seconds.`,
      "The last table is of two servers of ours, in turn: one reads ten SkillRevocationLists as long as they may be, a quarter each of skills, files, certificates and keys, none of them what is reviewed.",
    ],
  };
}
