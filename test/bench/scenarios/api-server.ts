import { startGovernedCluster, path } from "../cluster/governed-cluster.ts";
import type { ApiClient } from "../cluster/api-client.ts";
import { governed, pack, podOf, type Packed } from "../material/reviews.ts";
import { makeKey, signedSkill, sizes } from "../material/skills.ts";
import type { Server } from "../servers/server.ts";
import { quantile } from "../statistics.ts";
import { time, type Aim, type Section } from "../table.ts";

/** Pods of each kind, with and without the webhook. */
const pods = 300;
const warmUp = 30;
/** A namespace that the webhook is never asked about. */
const exempt = "kube-system";

interface Creations {
  readonly kind: string;
  /** Milliseconds of each creation. */
  readonly asked: number[];
  readonly exempt: number[];
  readonly unregistered: number[];
}

type Make = (name: string, namespace: string) => object;

async function create(api: ApiClient, pod: object, namespace: string): Promise<number> {
  const started = performance.now();
  await api.post(path(namespace, "pods"), pod);
  return performance.now() - started;
}

/** Seconds that our process spent on pods by its own measure, and how many it was asked about. */
async function ownFigures({
  metricsPort,
}: Server): Promise<{ readonly seconds: number; readonly count: number }> {
  const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  const total = (name: string): number => {
    let sum = 0;
    const lines = text.matchAll(
      new RegExp(
        `^skill_admission_request_duration_seconds_${name}\\{[^}]*resource="pods"[^}]*\\} (\\S+)$`,
        "gm",
      ),
    );
    for (const [, value] of lines) sum += Number(value);
    return sum;
  };
  return { seconds: total("sum"), count: total("count") };
}

async function unregistered(
  api: ApiClient,
  makes: ReadonlyMap<string, Make>,
): Promise<Map<string, number[]>> {
  const found = new Map<string, number[]>();
  for (const [kind, make] of makes) {
    const times: number[] = [];
    for (let at = 0; at < pods + warmUp; at += 1) {
      const milliseconds = await create(api, make(`before-${times.length}-${at}`, governed), governed);
      if (at >= warmUp) times.push(milliseconds);
    }
    found.set(kind, times);
  }
  return found;
}

/** Pods that the webhook is asked about and pods that it is not, in turn, so that the machine's moods meet both. */
async function registered(
  api: ApiClient,
  kind: string,
  make: Make,
): Promise<Omit<Creations, "unregistered">> {
  const found = { kind, asked: [] as number[], exempt: [] as number[] };
  for (let at = 0; at < pods + warmUp; at += 1) {
    for (const namespace of at % 2 === 0 ? [governed, exempt] : [exempt, governed]) {
      const milliseconds = await create(api, make(`pod-${at}`, namespace), namespace);
      if (at >= warmUp) (namespace === governed ? found.asked : found.exempt).push(milliseconds);
    }
  }
  return found;
}

const rowsOf = ({
  kind,
  asked,
  exempt: free,
  unregistered: before,
}: Creations): readonly (readonly string[])[] => {
  const of = (how: string, values: readonly number[]): readonly string[] => [
    kind,
    how,
    time(quantile(values, 0.5)),
    time(quantile(values, 0.99)),
    time(quantile(values, 0.5) - quantile(free, 0.5)),
    time(quantile(values, 0.99) - quantile(free, 0.99)),
  ];
  return [
    of("webhook asked", asked),
    of("exempt namespace, in turn with these", free),
    of("before any webhook was registered", before),
  ];
};

function aimOf({ kind, asked, exempt: free }: Creations): Aim {
  const more = quantile(asked, 0.5) - quantile(free, 0.5);
  return {
    figure: `${kind}: more time to create it, p50`,
    measured: time(more),
    aim: "≤ 2 ms",
    met: more <= 2,
  };
}

/** What the webhook costs through a real API server. */
export async function apiServer(_scratch: string, progress: (text: string) => void): Promise<Section> {
  progress("api-server: starting a control plane");
  const key = makeKey();
  const packed = (namespace: string): Packed =>
    pack(signedSkill("incident-summary", { key, size: sizes.median }), namespace);
  const inNamespace = new Map([governed, exempt].map((namespace) => [namespace, packed(namespace)]));
  const makes = new Map<string, Make>([
    ["pod without skills", (name, namespace) => podOf(`plain-${name}`, [], namespace)],
    [
      "pod with one signed skill",
      (name, namespace) => podOf(`skill-${name}`, [inNamespace.get(namespace)!], namespace),
    ],
  ]);
  let before = new Map<string, number[]>();
  const { api, ours, stop } = await startGovernedCluster(key, 1, async (client) => {
    for (const [namespace, { configMaps }] of inNamespace) {
      for (const configMap of configMaps) await client.post(path(namespace, "configmaps"), configMap);
    }
    progress("api-server: creating pods before the webhook is registered");
    before = await unregistered(client, makes);
  });
  try {
    const found: Creations[] = [];
    const own: string[] = [];
    for (const [kind, make] of makes) {
      progress(`api-server: creating pods, ${kind}`);
      const start = await ownFigures(ours);
      found.push({ ...(await registered(api, kind, make)), unregistered: before.get(kind) ?? [] });
      const end = await ownFigures(ours);
      const mean = ((end.seconds - start.seconds) / (end.count - start.count)) * 1000;
      own.push(`${time(mean)} for a ${kind}`);
    }
    return {
      id: "api-server",
      aims: found.map(aimOf),
      tables: [
        {
          columns: ["Pod", "How", "p50", "p99", "p50 more than exempt", "p99 more"],
          rows: found.flatMap(rowsOf),
        },
      ],
      notes: [
        `${pods} pods of each kind after ${warmUp} to warm up, one after the other over one connection, on a real kube-apiserver and etcd on the same machine. With and without the webhook in turn: without it means in a namespace that the webhook's registration exempts.`,
        `Of that our process took, by its own metric and in the mean: ${own.join(", ")}. The rest is the API server's: it makes the review, sends it over TLS and reads the answer. A pod with a skill also makes us read its ConfigMap from the API server, every time.`,
      ],
    };
  } finally {
    await stop();
  }
}
