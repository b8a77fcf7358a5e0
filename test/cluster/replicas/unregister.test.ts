import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { documented, makeAccount, type Account } from "../harness/account.ts";
import { installCrds } from "../harness/crds.ts";
import { createNamespace } from "../admission/world.ts";
import { apply } from "../harness/apply.ts";
import { api, patch, pathOf, remove } from "../harness/api.ts";
import {
  clear,
  leaderOf,
  leaseIn,
  registered,
  registeredUrl,
  runUnregister,
  startReplica,
  startReplicas,
  govern,
  type Replica,
} from "./replica.ts";
import { patience } from "../../fixtures/patience.ts";

const namespace = "leaving";
const service = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "skill-admission", namespace },
  spec: { ports: [{ port: 443 }] },
};

interface Lease {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
}

const unregistered = "skill-admission.dev/unregistered";
const mark = async (): Promise<string | undefined> =>
  (await api<Lease>(leaseIn(namespace))).metadata.annotations?.[unregistered];

let replicas: Replica[] = [];
/** With the rights that the documentation lists, and no others. */
let account: Account;
const start = (): Promise<Replica> => startReplica(namespace, { kubeconfig: account.kubeconfig });

const soonRegistered = () =>
  vi.waitFor(async () => expect(await registeredUrl()).toBe((await leaderOf(replicas)).url), patience);

/** Nobody registers for longer than the leader takes to look, and than another one takes to become it. */
async function staysAway(milliseconds: number): Promise<void> {
  const end = performance.now() + milliseconds;
  while (performance.now() < end) {
    expect(await registered()).toBeUndefined();
    await sleep(250);
  }
}

beforeAll(async () => {
  await installCrds();
  await createNamespace(namespace);
  await clear(namespace);
  await apply(service);
  await govern();
  const role = await documented("docs/configuration.md", "Role");
  account = await makeAccount(namespace, [
    await documented("docs/cluster.md", "ClusterRole"),
    { ...role, metadata: { ...(role["metadata"] as object), namespace } },
  ]);
  replicas = [...(await startReplicas(namespace, { kubeconfig: account.kubeconfig }))];
  await soonRegistered();
});

afterAll(async () => {
  await Promise.all(replicas.map((one) => one.kill()));
  await clear(namespace);
  await account.remove();
});

describe("unregister", () => {
  it("takes the webhook out while replicas run, and they leave it so", async () => {
    const { code, stdout, stderr } = await runUnregister(namespace);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^unregistered at https:/);
    await staysAway(6_000);
    const leader = await leaderOf(replicas);
    await expect.poll(() => leader.metric("skill_admission_webhook_registered")).toBe(0);
    await expect.poll(() => leader.metric("skill_admission_ready")).toBe(1);
    // Nothing else was refused to it, or went wrong.
    const warned = (await leader.log()).filter(({ level }) => level === "warn" || level === "error");
    expect(warned.map(({ msg }) => msg)).toEqual([
      expect.stringContaining("ClusterSkillPolicy governing: "),
      expect.stringContaining("unregistered by an operator"),
    ]);
  });

  it("may be done again", async () => {
    const { code, stdout } = await runUnregister(namespace);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^was not registered at https:/);
  });

  it("holds for the next leader, and for a replica that is started anew", async () => {
    const leader = await leaderOf(replicas);
    await leader.stop();
    replicas = [...replicas.filter((one) => one !== leader), await start()];
    await vi.waitFor(() => leaderOf(replicas), patience);
    await staysAway(4_000);
  });

  it("is undone by taking the mark away", async () => {
    await patch(leaseIn(namespace), { metadata: { annotations: { [unregistered]: null } } });
    await soonRegistered();
  });

  it("does not concern the next installation", async () => {
    expect((await runUnregister(namespace)).code).toBe(0);
    await Promise.all(replicas.map((one) => one.stop()));
    replicas = [];
    await remove(pathOf(service));
    expect(await mark()).toBeDefined();
    expect(await registered()).toBeUndefined();
    await apply(service);
    replicas = [await start()];
    await soonRegistered();
    expect(await mark()).toBeUndefined();
  });
});
