import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { DenialEvent } from "../../../../../src/admission/response/denial-event.ts";
import { ApiError } from "../../../../../src/cluster/live/api/client.ts";
import {
  createEventWriter,
  eventLimits,
  type EventWriter,
} from "../../../../../src/cluster/live/events/writer.ts";
import type { KubernetesObject } from "../../../../../src/kubernetes/object.ts";
import { FakeApi } from "../fake-api.ts";

const minute = 60_000;
let api: FakeApi;
let writer: EventWriter;
let dropped: string[];
let problems: string[];

const event = (over: Partial<DenialEvent> = {}): DenialEvent => ({
  reason: "SkillDenied",
  namespace: "payments",
  regarding: { apiVersion: "apps/v1", kind: "ReplicaSet", name: "etl-1", namespace: "payments", uid: "u" },
  related: { apiVersion: "skill-admission.dev/v1alpha1", kind: "ClusterSkillPolicy", name: "payments" },
  cause: "k",
  note: () => "policy denied it",
  ...over,
});
const events = (): readonly KubernetesObject[] => [...api.objects.values()];
const writtenIn = (namespace: string): number =>
  [...api.objects.keys()].filter((path) => path.includes(`/namespaces/${namespace}/events/`)).length;
const pass = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);

beforeEach(() => {
  vi.useFakeTimers({ now: Date.UTC(2026, 0, 1) });
  api = new FakeApi();
  dropped = [];
  problems = [];
  writer = createEventWriter({
    client: api,
    onProblem: (message) => problems.push(message),
    onDropped: (why) => dropped.push(why),
  });
});

afterEach(async () => {
  await writer.close();
  vi.useRealTimers();
});

describe("createEventWriter", () => {
  it("writes what events.k8s.io/v1 demands", async () => {
    writer.tell(event());
    await pass(10);
    expect(events()).toEqual([
      expect.objectContaining({
        apiVersion: "events.k8s.io/v1",
        kind: "Event",
        eventTime: "2026-01-01T00:00:00.000000Z",
        type: "Warning",
        reason: "SkillDenied",
        action: "Admission",
        note: "policy denied it",
        regarding: event().regarding,
        related: event().related,
        reportingController: "skill-admission.dev/webhook",
      }),
    ]);
    const [path] = [...api.objects.keys()];
    expect(path).toMatch(/^\/apis\/events\.k8s\.io\/v1\/namespaces\/payments\/events\/etl-1\.[0-9a-f]{16}$/);
  });

  it("counts the same denial in a series, and writes the count now and then", async () => {
    for (let second = 0; second < 100; second += 1) {
      writer.tell(event());
      await pass(1_000);
    }
    await pass(eventLimits.series * 2);
    expect(events()).toHaveLength(1);
    expect(events()[0]?.["series"]).toMatchObject({ count: 100 });
    expect(api.written().filter((one) => one.startsWith("PATCH")).length).toBeLessThan(7);
    expect(dropped).toEqual([]);
  });

  it("writes no count for what did not come again", async () => {
    writer.tell(event());
    await pass(10 * minute);
    expect(api.written()).toHaveLength(1);
  });

  it("begins anew after a pause, and where the API server has forgotten the Event", async () => {
    writer.tell(event());
    await pass(eventLimits.forget + minute);
    writer.tell(event());
    await pass(10);
    expect(events()).toHaveLength(2);
    api.objects.clear();
    writer.tell(event());
    await pass(eventLimits.series * 2);
    expect([events().length, dropped]).toEqual([0, []]);
    writer.tell(event());
    await pass(10);
    expect(events()).toHaveLength(1);
  });

  it("writes five Events on one workload, then one a minute, and counts the rest as dropped", async () => {
    for (let index = 0; index < 20; index += 1) writer.tell(event({ cause: `k${index}` }));
    await pass(1_000);
    expect([events().length, dropped.length, new Set(dropped)]).toEqual([5, 15, new Set(["rate_limited"])]);
    await pass(minute);
    for (let index = 20; index < 25; index += 1) writer.tell(event({ cause: `k${index}` }));
    await pass(1_000);
    expect(events()).toHaveLength(6);
  });

  it("writes fifty in all at once, whatever they are about", async () => {
    for (let index = 0; index < 200; index += 1) {
      const regarding = { ...event().regarding, name: `etl-${index}` };
      writer.tell(event({ cause: `k${index}`, regarding, namespace: `tenant-${index}` }));
    }
    await pass(1_000);
    expect([events().length, dropped.length]).toEqual([50, 150]);
  });

  it("writes twenty in one namespace at once, and leaves the rest to others", async () => {
    const about = (index: number, namespace: string): DenialEvent =>
      event({ cause: `k${index}`, regarding: { ...event().regarding, name: `etl-${index}` }, namespace });
    for (let index = 0; index < 100; index += 1) writer.tell(about(index, "noisy"));
    for (let index = 100; index < 105; index += 1) writer.tell(about(index, "quiet"));
    await pass(1_000);
    expect([writtenIn("noisy"), writtenIn("quiet")]).toEqual([20, 5]);
  });

  it("leaves half of a namespace to others, whatever one user tries, under ever new names", async () => {
    const bare = (index: number, requester: string): DenialEvent => {
      const regarding = { apiVersion: "v1", kind: "Pod", name: `try${index}`, namespace: "payments" };
      return event({ cause: `k${index}`, regarding, requester });
    };
    for (let index = 0; index < 100; index += 1)
      writer.tell(bare(index, "system:serviceaccount:payments:bot"));
    writer.tell(event({ requester: "system:serviceaccount:kube-system:replicaset-controller" }));
    await pass(1_000);
    const regarded = events().map(({ regarding }) => (regarding as { readonly kind: string }).kind);
    expect(regarded.filter((kind) => kind === "Pod")).toHaveLength(10);
    expect(regarded).toContain("ReplicaSet");
  });

  it("leaves room to others where one workload is denied for ever new causes under ever new names", async () => {
    const attempt = (index: number): DenialEvent => {
      const name = `loop-${(29_000_000 + index).toString()}`;
      return event({
        cause: `k${index}`,
        regarding: { ...event().regarding, kind: "Job", name, uid: `u-${index}` },
      });
    };
    for (let index = 0; index < 600; index += 1) {
      writer.tell(attempt(index));
      await pass(1_000);
    }
    const looped = writtenIn("payments");
    expect(looped).toBeLessThanOrEqual(15);
    for (const name of ["a", "b", "c", "d", "e", "f", "g", "h"])
      writer.tell(event({ regarding: { ...event().regarding, name, uid: name } }));
    await pass(1_000);
    expect(writtenIn("payments")).toBe(looped + 8);
  });

  it("counts what no object is there for in one Event, whatever its attempts are called", async () => {
    const attempt = (end: string): DenialEvent =>
      event({ regarding: { apiVersion: "v1", kind: "Pod", name: `etl-${end}`, namespace: "payments" } });
    for (const end of ["x7k2p", "bcdfg", "5z6zq", "29384756"]) writer.tell(attempt(end));
    await pass(eventLimits.series * 2);
    expect(events()).toHaveLength(1);
    expect(events()[0]?.["series"]).toMatchObject({ count: 4 });
  });

  it("counts in an Event of the same workload and cause what its share leaves no room for", async () => {
    const attempt = (index: number): DenialEvent => {
      const regarding = { apiVersion: "tekton.dev/v1", kind: "TaskRun", namespace: "payments" };
      return event({ regarding: { ...regarding, name: `build-x7k${index}`, uid: `u-${index}` } });
    };
    for (const index of [22, 24, 25, 26, 27, 28, 29, 42]) writer.tell(attempt(index));
    await pass(eventLimits.series * 2);
    expect(events()).toHaveLength(5);
    expect(events().map(({ series }) => series)).toContainEqual(expect.objectContaining({ count: 4 }));
    expect(dropped).toEqual([]);
  });

  it("is on the Deployment of a ReplicaSet, and counts up there through its rollouts", async () => {
    const deployment = { apiVersion: "apps/v1", kind: "Deployment", name: "etl", uid: "d-1" };
    const path = "/apis/apps/v1/namespaces/payments/replicasets";
    const rolled = ["etl-5d4f9c7b8", "etl-7c6bdf89d"];
    for (const name of rolled)
      api.put(`${path}/${name}`, {
        metadata: {
          name,
          namespace: "payments",
          uid: name,
          ownerReferences: [{ ...deployment, controller: true }],
        },
      });
    const told = (name: string) =>
      writer.tell(event({ regarding: { ...event().regarding, name, uid: name } }));
    for (const name of [...rolled, ...rolled]) {
      told(name);
      await pass(10);
    }
    await pass(eventLimits.series * 2);
    const about = events().filter(({ kind }) => kind === "Event");
    expect(about).toHaveLength(1);
    expect(about[0]).toMatchObject({
      regarding: { ...deployment, namespace: "payments" },
      series: { count: 4 },
    });
  });

  it("is on the ReplicaSet where that cannot be read, or is another one by now", async () => {
    api.put("/apis/apps/v1/namespaces/payments/replicasets/etl-1", { metadata: { uid: "another" } });
    writer.tell(event());
    await pass(10);
    expect(events().find(({ kind }) => kind === "Event")).toMatchObject({ regarding: event().regarding });
  });

  it("keeps no counts of others waiting where one namespace has very many", async () => {
    const many = { burst: 1_000, perSecond: 1_000 };
    await writer.close();
    const limits = {
      ...eventLimits,
      perWorkload: many,
      perRequester: many,
      perNamespace: { burst: 1, perSecond: 0 },
    };
    writer = createEventWriter({
      client: api,
      onProblem: () => undefined,
      onDropped: () => undefined,
      limits,
    });
    for (const [namespace, name] of [
      ["noisy", "a"],
      ["noisy", "b"],
      ["quiet", "c"],
    ] as const)
      writer.tell(event({ namespace, regarding: { ...event().regarding, name, uid: name } }));
    for (let round = 0; round < 3; round += 1)
      for (const [namespace, name] of [
        ["noisy", "a"],
        ["quiet", "c"],
      ] as const)
        writer.tell(event({ namespace, regarding: { ...event().regarding, name, uid: name } }));
    await pass(eventLimits.series * 3);
    const counted = api.written().filter((one) => one.startsWith("PATCH"));
    expect(counted.filter((one) => one.includes("/c."))).toHaveLength(1);
    expect(counted).toHaveLength(2);
  });

  it("writes none in a namespace that the API server asks nothing about", async () => {
    await writer.close();
    writer = createEventWriter({
      client: api,
      onProblem: () => undefined,
      onDropped: (why) => dropped.push(why),
      exempt: new Set(["kube-system"]),
    });
    writer.tell(event({ namespace: "kube-system" }));
    writer.tell(event({ cause: "other" }));
    await pass(10);
    expect([...api.objects.keys()].every((path) => path.includes("/payments/"))).toBe(true);
    expect([events().length, dropped]).toEqual([1, []]);
  });

  it("lets only so many wait while the API server is slow, and holds on to nothing of them", async () => {
    const many = { burst: 1_000, perSecond: 1_000 };
    await writer.close();
    let noted = 0;
    const never = () => new Promise<never>(() => undefined);
    const slow = { call: never, stream: never, close: () => undefined };
    writer = createEventWriter({
      client: slow,
      onProblem: () => undefined,
      onDropped: (why) => dropped.push(why),
      limits: {
        ...eventLimits,
        perWorkload: many,
        perRequester: many,
        perNamespace: many,
        inAll: many,
        waiting: 10,
      },
    });
    for (let index = 0; index < 50; index += 1)
      writer.tell(event({ cause: `k${index}`, note: () => `note ${(noted += 1)}` }));
    // One is being written, ten wait.
    expect([dropped.length, new Set(dropped)]).toEqual([39, new Set(["queue_full"])]);
    void writer.close();
    writer = createEventWriter({ client: api, onProblem: () => undefined, onDropped: () => undefined });
  });

  it("says once that Events are refused, counts them, and goes on when they are not any more", async () => {
    api.before = () => {
      throw new ApiError(403, "events are forbidden");
    };
    for (let index = 0; index < 3; index += 1) writer.tell(event({ cause: `k${index}` }));
    await pass(1_000);
    expect(dropped).toEqual(["refused", "refused", "refused"]);
    expect(problems).toEqual(["Events are not written: events are forbidden"]);
    api.before = () => undefined;
    writer.tell(event({ cause: "k0" }));
    await pass(10);
    expect(events()).toHaveLength(1);
  });

  it.each(["ETL_1", "a/../../b", "-", "ü", "x".repeat(253), `${"a".repeat(199)}-b`])(
    "names an Event on %j as a DNS subdomain",
    async (name) => {
      writer.tell(event({ regarding: { ...event().regarding, name } }));
      await pass(10);
      const path = [...api.objects.keys()][0]!;
      expect(path.slice(path.indexOf("/events/") + 8)).toMatch(
        /^[a-z0-9]([-a-z0-9]*[a-z0-9])?\.[0-9a-f]{16}$/,
      );
    },
  );

  it("writes nothing after it was closed", async () => {
    await writer.close();
    writer.tell(event());
    await pass(minute);
    expect(events()).toEqual([]);
  });
});
