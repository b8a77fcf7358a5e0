import { path, startGovernedCluster, takesPods } from "../cluster/governed-cluster.ts";
import type { ApiClient } from "../cluster/api-client.ts";
import { governed, pack, podOf, type Packed } from "../material/reviews.ts";
import { makeKey, signedSkill, sizes } from "../material/skills.ts";
import { startBare, type BareServer, type Server } from "../servers/server.ts";
import { quantile } from "../statistics.ts";
import { time, type Aim, type Section } from "../table.ts";

/** Pods of each kind, with and without the webhook. */
const pods = 300;
const warmUp = 30;
/** Namespaces that our webhook is never asked about; in the second another one allows whatever it is asked. */
const exempt = "kube-system";
const bare = "kube-node-lease";

interface Creations {
  readonly kind: string;
  /** Milliseconds of each creation. */
  readonly asked: number[];
  readonly exempt: number[];
  readonly bare: number[];
  readonly unregistered: number[];
  /** Milliseconds of one consistent read of the pod's ConfigMap, as every review of it must make; none without a skill. */
  readonly reads: number[];
}

interface Make {
  readonly pod: (name: string, namespace: string) => object;
  /** The ConfigMap that the pod brings in. */
  readonly configMap?: string;
}

/** Only metadata in the answer, as our process asks for it. */
const metadataOnly = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io";

async function create(api: ApiClient, pod: object, namespace: string): Promise<number> {
  const started = performance.now();
  await api.post(path(namespace, "pods"), pod);
  return performance.now() - started;
}

async function read(api: ApiClient, configMap: string): Promise<number> {
  const started = performance.now();
  const { status } = await api.ask(
    "GET",
    path(governed, "configmaps", `/${configMap}`),
    undefined,
    metadataOnly,
  );
  if (status !== 200) throw new Error(`GET ${configMap}: ${status}`);
  return performance.now() - started;
}

/** Has the API server ask the bare server about pods, of one namespace. */
async function registerBare(api: ApiClient, { certificate, port }: BareServer): Promise<void> {
  await api.post("/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations", {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingWebhookConfiguration",
    metadata: { name: "bare" },
    webhooks: [
      {
        name: "pods.bare.example.com",
        clientConfig: {
          url: `https://127.0.0.1:${port}/validate`,
          caBundle: Buffer.from(certificate).toString("base64"),
        },
        rules: [{ apiGroups: [""], apiVersions: ["v1"], resources: ["pods"], operations: ["CREATE"] }],
        namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": bare } },
        admissionReviewVersions: ["v1"],
        sideEffects: "None",
        timeoutSeconds: 5,
      },
    ],
  });
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
  for (const [kind, { pod }] of makes) {
    const times: number[] = [];
    for (let at = 0; at < pods + warmUp; at += 1) {
      const milliseconds = await create(api, pod(`before-${times.length}-${at}`, governed), governed);
      if (at >= warmUp) times.push(milliseconds);
    }
    found.set(kind, times);
  }
  return found;
}

/** Pods with our webhook, the bare one and none, in turn, so that the machine's moods meet all alike. */
async function registered(
  api: ApiClient,
  kind: string,
  { pod, configMap }: Make,
): Promise<Omit<Creations, "unregistered">> {
  const found = { kind, asked: [] as number[], exempt: [] as number[], bare: [] as number[] };
  const reads: number[] = [];
  const where = [
    { namespace: governed, times: found.asked },
    { namespace: exempt, times: found.exempt },
    { namespace: bare, times: found.bare },
  ];
  for (let at = 0; at < pods + warmUp; at += 1) {
    const turn = at % where.length;
    for (const { namespace, times } of [...where.slice(turn), ...where.slice(0, turn)]) {
      const milliseconds = await create(api, pod(`pod-${at}`, namespace), namespace);
      if (at >= warmUp) times.push(milliseconds);
    }
    const milliseconds = configMap === undefined ? undefined : await read(api, configMap);
    if (at >= warmUp && milliseconds !== undefined) reads.push(milliseconds);
  }
  return { ...found, reads };
}

const rowsOf = ({
  kind,
  asked,
  exempt: free,
  bare: allowing,
  unregistered: before,
  reads,
}: Creations): readonly (readonly string[])[] => {
  const of = (how: string, values: readonly number[]): readonly string[] => [
    kind,
    how,
    time(quantile(values, 0.5)),
    time(quantile(values, 0.99)),
    time(quantile(values, 0.5) - quantile(free, 0.5)),
    time(quantile(values, 0.99) - quantile(free, 0.99)),
  ];
  const reading = [
    "one consistent read of its ConfigMap",
    time(quantile(reads, 0.5)),
    time(quantile(reads, 0.99)),
  ];
  return [
    of("webhook asked", asked),
    of("bare express asked, which allows everything", allowing),
    of("exempt namespace, in turn with these", free),
    of("before any webhook was registered", before),
    ...(reads.length === 0 ? [] : [[kind, ...reading, "", ""]]),
  ];
};

function aimsOf({ kind, asked, exempt: free, bare: allowing, reads }: Creations): readonly Aim[] {
  const p50 = (values: readonly number[]): number => quantile(values, 0.5);
  const more = p50(asked) - p50(free);
  const floor = p50(allowing) - p50(free) + (reads.length === 0 ? 0 : p50(reads));
  const floorName = reads.length === 0 ? "the bare webhook's" : "the bare webhook's and one consistent read";
  return [
    {
      figure: `${kind}: more time to create it, p50`,
      measured: time(more),
      aim: "≤ 2 ms",
      met: more <= 2,
    },
    {
      figure: `${kind}: the same over the least it can be, ${floorName}`,
      measured: `${(more / floor).toFixed(2)}×`,
      aim: "≤ 1.5×",
      met: more <= 1.5 * floor,
    },
  ];
}

/** What the webhook costs through a real API server. */
export async function apiServer(scratch: string, progress: (text: string) => void): Promise<Section> {
  progress("api-server: starting a control plane");
  const key = makeKey();
  const packed = (namespace: string): Packed =>
    pack(signedSkill("incident-summary", { key, size: sizes.median }), namespace);
  const inNamespace = new Map([governed, exempt, bare].map((namespace) => [namespace, packed(namespace)]));
  const makes = new Map<string, Make>([
    ["pod without skills", { pod: (name, namespace) => podOf(`plain-${name}`, [], namespace) }],
    [
      "pod with one signed skill",
      {
        pod: (name, namespace) => podOf(`skill-${name}`, [inNamespace.get(namespace)!], namespace),
        configMap: inNamespace.get(governed)!.configMaps[0]!.metadata.name,
      },
    ],
  ]);
  let before = new Map<string, number[]>();
  const { api, ours, stop } = await startGovernedCluster(key, 1, async (client) => {
    for (const [namespace, { configMaps }] of inNamespace) {
      await takesPods(client, namespace);
      for (const configMap of configMaps) await client.post(path(namespace, "configmaps"), configMap);
    }
    progress("api-server: creating pods before the webhook is registered");
    before = await unregistered(client, makes);
  });
  const allowing = await startBare(scratch);
  try {
    await registerBare(api, allowing);
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
      aims: found.flatMap(aimsOf),
      tables: [
        {
          columns: ["Pod", "How", "p50", "p99", "p50 more than exempt", "p99 more"],
          rows: found.flatMap(rowsOf),
        },
      ],
      notes: [
        `${pods} pods of each kind after ${warmUp} to warm up, one after the other over one connection, on a real kube-apiserver and etcd on the same machine. With our webhook, with a bare one that allows everything, and with none, in turn: none means in a namespace that the webhook's registration exempts.`,
        `Of that our process took, by its own metric and in the mean: ${own.join(", ")}. The rest is the API server's: it makes the review, sends it over TLS and reads the answer. A pod with a skill also makes us read its ConfigMap from the API server, every time: bytes that a watch showed some time ago are no proof of what the kubelet will mount.`,
      ],
    };
  } finally {
    await allowing.stop();
    await stop();
  }
}
