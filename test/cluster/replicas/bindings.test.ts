import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { ApiError, type ApiRequest } from "../../../src/cluster/live/api/client.ts";
import { webhookConfiguration } from "../../../src/cluster/live/registration/webhook-configuration.ts";
import { uidOf, type KubernetesObject } from "../../../src/kubernetes/object.ts";
import { signedSkill, withFiles, type SignedSkill } from "../../fixtures/signed-skill.ts";
import { createNamespace, enforce, mutable, pemOf, policy, type Part } from "../admission/world.ts";
import { api, put, remove } from "../harness/api.ts";
import { installCrds } from "../harness/crds.ts";
import { clear, runUnregister, startReplicas, type Replica } from "./replica.ts";
import { patience } from "../../fixtures/patience.ts";
import { everywhere } from "../../fixtures/governed.ts";

const namespace = "bound-by-two";
const core = `/api/v1/namespaces/${namespace}`;
const twoReplicas = "skill-admission-by-two";

let replicas: readonly [Replica, Replica];
let good: SignedSkill;

interface Webhook {
  readonly name: string;
}

/** What asks one replica about pods and their bindings, and the other one about ConfigMaps: neither knows of the other's reviews. */
async function askBoth(): Promise<void> {
  const of = async (replica: Replica): Promise<readonly Webhook[]> =>
    webhookConfiguration({
      address: { url: replica.url },
      caBundle: await replica.authority(),
      governed: everywhere,
      bindings: everywhere,
    })["webhooks"] as readonly Webhook[];
  const [pods, changes] = await Promise.all([of(replicas[0]), of(replicas[1])]);
  const isChange = ({ name }: Webhook): boolean => name.startsWith("configmaps.");
  const webhooks = [...pods.filter((one) => !isChange(one)), ...changes.filter(isChange)];
  await put({
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingWebhookConfiguration",
    metadata: { name: twoReplicas },
    webhooks,
  });
}

async function status(path: string, how: Omit<ApiRequest, "path" | "signal">): Promise<number> {
  try {
    await api(path, how);
    return 200;
  } catch (error) {
    if (error instanceof ApiError) return error.status;
    throw error;
  }
}

beforeAll(async () => {
  good = signedSkill();
  await installCrds();
  await createNamespace(namespace, namespace);
  await clear(namespace);
  replicas = await startReplicas(namespace);
  await enforce(
    policy(namespace, {
      publishers: [{ name: "team", publicKey: { pem: pemOf(good) } }],
      recheck: "Binding",
    }),
  );
  // So that neither of them takes the other's registration for a fault.
  expect(await runUnregister(namespace)).toMatchObject({ code: 0 });
  await askBoth();
  const { pod, configMap } = mutable(withFiles(good.skill, { "extra.py": "x" }), "probe", namespace);
  // A dry run without it would only warn.
  await put(configMap);
  const asked = () => status(`${core}/pods?dryRun=All`, { method: "POST", body: pod });
  await vi.waitFor(async () => expect(await asked()).toBe(403), patience);
});

afterAll(async () => {
  await remove(`/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/${twoReplicas}`);
  await Promise.all(replicas.map((one) => one.kill()));
  await clear(namespace);
});

describe("r1: a change of a ConfigMap and a pod that two replicas let through at the same time", () => {
  interface Race {
    readonly changed: number;
    readonly created: number;
    readonly bound: number;
  }

  const later = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

  /** Changes the skill in place, by a write that takes long. */
  async function change(name: string): Promise<number> {
    const evil = mutable(withFiles(good.skill, { "scripts/run.sh": "evil" }), name, namespace).configMap;
    const body = { ...evil, data: { ...(evil["data"] as Part), padding: "x".repeat(700_000) } };
    return status(`${core}/configmaps/${name}`, { method: "PUT", body });
  }

  /** Binds the pod as soon as it is stored, sooner than any scheduler. */
  async function start(name: string): Promise<Pick<Race, "created" | "bound">> {
    const { pod } = mutable(good.skill, name, namespace);
    const created = await status(`${core}/pods`, { method: "POST", body: pod });
    if (created !== 200) return { created, bound: 0 };
    const metadata = { name, uid: uidOf(await api<KubernetesObject>(`${core}/pods/${name}`)) };
    const body = { apiVersion: "v1", kind: "Binding", metadata, target: { kind: "Node", name: "node-1" } };
    return { created, bound: await status(`${core}/pods/${name}/binding`, { method: "POST", body }) };
  }

  /** A ConfigMap with the signed skill, of a name that no pod has had: nodes may keep what others had. */
  const publish = (name: string): Promise<unknown> =>
    api(`${core}/configmaps`, { method: "POST", body: mutable(good.skill, name, namespace).configMap });

  async function race(name: string, delay: number): Promise<Race> {
    await publish(name);
    const [changed, started] = await Promise.all([
      later(Math.max(0, -delay)).then(() => change(name)),
      later(Math.max(0, delay)).then(() => start(name)),
    ]);
    return { changed, ...started };
  }

  it("never ends on a node", async () => {
    const races: Race[] = [];
    const both = () => races.filter(({ changed, created }) => changed === 200 && created === 200);
    // Both have to pass now and then, and pods be bound whose ConfigMap stays as it was: else nothing is tried.
    const tried = () => both().length > 0 && races.some(({ bound }) => bound === 200);
    const lane = async (number: number): Promise<void> => {
      for (let round = 0; round < 15 || (!tried() && round < 100); round += 1)
        races.push(await race(`race-${number}-${round}`, ((round * 3 + number) % 15) - 2));
    };
    await Promise.all(Array.from({ length: 4 }, (_, number) => lane(number)));
    expect(both().filter(({ bound }) => bound !== 403)).toEqual([]);
    expect(tried(), JSON.stringify(races)).toBe(true);
  }, 240_000);

  it("is over once the pod is bound: the other replica knows the pod by then, and refuses the change", async () => {
    for (let round = 0; round < 5; round += 1) {
      const name = `late-${round}`;
      await publish(name);
      expect(await start(name)).toEqual({ created: 200, bound: 200 });
      expect(await change(name)).toBe(403);
    }
  });
});
