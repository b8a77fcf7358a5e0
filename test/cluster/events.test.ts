import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { DenialEvent } from "../../src/admission/response/denial-event.ts";
import { createApiClient, type ApiClient } from "../../src/cluster/live/api/client.ts";
import { connectByKubeconfig } from "../../src/cluster/live/api/connection.ts";
import { createEventWriter, eventLimits, type EventWriter } from "../../src/cluster/live/events/writer.ts";
import { hasReadyEndpoint, readInstallation } from "../../src/cluster/live/registration/installation.ts";
import { apply } from "./harness/apply.ts";
import { kubectl } from "./harness/cluster.ts";
import { createNamespace } from "./harness/namespaces.ts";
import { kubeconfig } from "./harness/opened.ts";
import { patience } from "../fixtures/patience.ts";

const namespace = "telling";
const soon = (): AbortSignal => AbortSignal.timeout(10_000);
const dropped: string[] = [];
const problems: string[] = [];

let client: ApiClient;
let writer: EventWriter;

beforeAll(async () => {
  await createNamespace(namespace);
  client = createApiClient(await connectByKubeconfig(kubeconfig));
  writer = createEventWriter({
    client,
    onProblem: (message) => problems.push(message),
    onDropped: (why) => dropped.push(why),
    limits: { ...eventLimits, series: 300 },
  });
});

afterAll(async () => {
  await writer.close();
  client.close();
});

const denial = (over: Partial<DenialEvent> = {}): DenialEvent => ({
  reason: "SkillDenied",
  namespace,
  regarding: { apiVersion: "apps/v1", kind: "ReplicaSet", name: "etl-1", namespace, uid: "u-1" },
  related: { apiVersion: "skill-admission.dev/v1alpha1", kind: "ClusterSkillPolicy", name: "payments" },
  cause: "k",
  note: () => `policy "payments" denied it\n${"ü".repeat(490)}`,
  ...over,
});

interface Event {
  readonly series?: { readonly count: number };
  readonly note: string;
  readonly regarding: { readonly kind: string; readonly name: string };
}

const written = async (name: string): Promise<readonly Event[]> => {
  const list = await kubectl(["-n", namespace, "get", "events.events.k8s.io", "-o", "json"]);
  return (JSON.parse(list) as { items: Event[] }).items.filter(({ regarding }) => regarding.name === name);
};

describe("createEventWriter", () => {
  it("is taken by the API server, and the same denial again becomes a series of that Event", async () => {
    for (let round = 0; round < 4; round += 1) writer.tell(denial());
    await vi.waitFor(async () => {
      const events = await written("etl-1");
      expect(events).toHaveLength(1);
      expect(events[0]?.series?.count).toBe(4);
    }, patience);
    const [event] = await written("etl-1");
    expect(Buffer.byteLength(event!.note)).toBeGreaterThan(1_000);
    expect([dropped, problems]).toEqual([[], []]);
  });

  it("may be about an object of a name that no Event may have", async () => {
    const regarding = {
      apiVersion: "example.invalid/v9",
      kind: "Surprise",
      name: "Not_A Name/..",
      namespace,
    };
    writer.tell(denial({ cause: "odd", regarding }));
    await vi.waitFor(async () => expect(await written("Not_A Name/..")).toHaveLength(1), patience);
  });

  it("goes on after what the API server refuses", async () => {
    writer.tell(denial({ cause: "nowhere", namespace: "no-such-namespace" }));
    const regarding = { ...denial().regarding, name: "etl-2" };
    writer.tell(denial({ cause: "after", regarding }));
    await vi.waitFor(async () => expect(await written("etl-2")).toHaveLength(1), patience);
    await expect.poll(() => dropped).toEqual(["refused"]);
    await expect.poll(() => problems).toEqual([expect.stringMatching(/^Events are not written: /)]);
  });
});

describe("what an installation is known by", () => {
  const service = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "skill-admission", namespace },
    spec: { ports: [{ port: 443 }] },
  };
  const slice = (name: string, ready: boolean) => ({
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name, namespace, labels: { "kubernetes.io/service-name": "skill-admission" } },
    addressType: "IPv4",
    endpoints: [{ addresses: ["192.0.2.1"], conditions: { ready } }],
    ports: [{ port: 8443 }],
  });
  const reachable = () => hasReadyEndpoint(client, namespace, "skill-admission", soon());
  const installation = () => readInstallation(client, namespace, "skill-admission", soon());

  it("is its Service, and the next one is another", async () => {
    expect(await installation()).toBe("none");
    await apply(service);
    const first = await installation();
    expect(first).toMatch(/^[0-9a-f-]{36}$/);
    expect(await installation()).toBe(first);
    await kubectl(["-n", namespace, "delete", "service", "skill-admission"]);
    await apply(service);
    expect(await installation()).not.toBe(first);
  });

  it("can be reached once one endpoint of its Service is ready", async () => {
    expect(await reachable()).toBe(false);
    await apply(slice("one", false));
    expect(await reachable()).toBe(false);
    await apply(slice("two", true));
    expect(await reachable()).toBe(true);
    expect(await hasReadyEndpoint(client, namespace, "another", soon())).toBe(false);
  });
});
