import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parse } from "yaml";
import { namespaceContents } from "../../cluster/harness/api-access.ts";
import { startControlPlane } from "../../cluster/harness/control-plane.ts";
import { freePort } from "../../fixtures/free-port.ts";
import { governance, pack, podOf } from "../material/reviews.ts";
import { signedSkill, sizes, type BenchKey } from "../material/skills.ts";
import { startProduct, type Server } from "../servers/server.ts";
import { apiClient, type ApiClient } from "./api-client.ts";

const crds = join(import.meta.dirname, "../../../manifests/crds");

/** A real API server that asks our webhook about everything in the governed namespace. */
export interface GovernedCluster {
  readonly api: ApiClient;
  readonly ours: Server;
  readonly stop: () => Promise<void>;
}

/** A namespaced path of the core API. */
export const path = (namespace: string, resource: "pods" | "configmaps", query = ""): string =>
  `/api/v1/namespaces/${namespace}/${resource}${query}`;

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within 30 s: ${what}`);
    await sleep(50);
  }
}

/** Waits until a namespace takes pods, as it does when its controllers have seen it. */
export async function takesPods(api: ApiClient, namespace: string): Promise<void> {
  for (const made of namespaceContents(namespace))
    await until(`there is ${made}`, async () => (await api.ask("GET", made)).status === 200);
}

async function install(api: ApiClient, key: BenchKey): Promise<void> {
  for (const file of (await readdir(crds)).filter((name) => name.endsWith(".yaml"))) {
    const crd = parse(await readFile(join(crds, file), "utf8")) as {
      readonly metadata: { readonly name: string };
    };
    const all = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    await api.post(all, crd);
    await until(`the CRD ${crd.metadata.name} is established`, async () => {
      const { body } = await api.ask("GET", `${all}/${crd.metadata.name}`);
      return /"type":\s*"Established",\s*"status":\s*"True"/.test(body);
    });
  }
  const [namespace, policy] = governance(key.publicPem);
  await api.post("/api/v1/namespaces", namespace!);
  await takesPods(api, "payments");
  const policies = "/apis/skill-admission.dev/v1alpha1/clusterskillpolicies";
  await until(
    "policies can be created",
    async () => (await api.ask("POST", policies, policy)).status === 201,
  );
}

/** A pod that must be denied, in a dry run: proof that the webhook is asked. */
async function isDenied(api: ApiClient, pod: object): Promise<boolean> {
  const { status, body } = await api.ask("POST", path("payments", "pods", "?dryRun=All"), pod);
  return status === 403 && body.includes("skill-admission.dev");
}

/**
 * Starts a control plane, then the webhook beside it.
 * @param connections that the client may open
 * @param before what is to be done while nothing is registered yet
 */
export async function startGovernedCluster(
  key: BenchKey,
  connections: number,
  before: (api: ApiClient) => Promise<void> = () => Promise.resolve(),
): Promise<GovernedCluster> {
  const plane = await startControlPlane();
  let ours: Server | undefined;
  let api: ApiClient | undefined;
  const stop = async (): Promise<void> => {
    api?.close();
    await ours?.stop();
    await plane.stop();
  };
  try {
    const client = await apiClient(plane.kubeconfig, connections);
    api = client;
    await install(client, key);
    await before(client);
    const port = await freePort();
    const where = ["--kubeconfig", plane.kubeconfig, "--webhook-url", `https://127.0.0.1:${port}`];
    ours = await startProduct(where, { port });
    const broken = pack(signedSkill("broken", { key, size: sizes.small, broken: true }));
    for (const configMap of broken.configMaps) await client.post(path("payments", "configmaps"), configMap);
    const pod = podOf("broken", [broken]);
    await until("the API server asks the webhook", () => isDenied(client, pod));
    return { api: client, ours, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
