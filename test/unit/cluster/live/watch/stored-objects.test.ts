import { afterEach, describe, expect, it, vi } from "vitest";
import { ApiError } from "../../../../../src/cluster/live/api/client.ts";
import { reflectorDefaults } from "../../../../../src/cluster/live/watch/reflector.ts";
import { followStored, type UnseenInterval } from "../../../../../src/cluster/live/watch/stored-objects.ts";
import type { StoredObjects } from "../../../../../src/recheck/ports.ts";
import { chunksOf, scriptedClient } from "../live-fakes.ts";

const times = { ...reflectorDefaults, minBackoff: 1, maxBackoff: 2 };
const object = (namespace: string, name: string, version: string) => ({
  metadata: { namespace, name, resourceVersion: version },
});
const event = (type: string, ...of: Parameters<typeof object>) => ({ type, object: object(...of) });

/** A sink that writes down what it is told. */
function noted(): { readonly sink: StoredObjects; readonly told: string[] } {
  const told: string[] = [];
  const keys = new Set<string>();
  const note = (text: string): void => void told.push(text);
  return {
    told,
    sink: {
      podStored: (key) => note(`pod ${[...keys.add(key)].includes(key) ? key : ""}`),
      podGone: (key) => note(`gone ${keys.delete(key) ? key : ""}`),
      podKeys: () => keys,
      configMapStored: ({ ref, resourceVersion }) =>
        note(`map ${ref.namespace}/${ref.name} ${resourceVersion}`),
      configMapGone: ({ ref, resourceVersion }) =>
        note(`no map ${ref.namespace}/${ref.name} ${resourceVersion}`),
      listed: () => note("listed"),
      missed: () => note("missed"),
      policiesChanged: () => undefined,
      namespaceChanged: () => undefined,
    },
  };
}

let close: (() => Promise<void>) | undefined;
afterEach(async () => close?.());

function follow(
  events: Readonly<Record<"pods" | "configmaps", readonly (readonly object[])[]>>,
  seenBefore?: number,
) {
  const { sink, told } = noted();
  const unseen: UnseenInterval[] = [];
  const problems: string[] = [];
  const opened = { pods: 0, configmaps: 0 };
  const resourceOf = (path: string) => (path.includes("/pods") ? "pods" : "configmaps");
  const client = scriptedClient(
    ({ path }) => ({
      metadata: { resourceVersion: "10" },
      items: [object("payments", `${resourceOf(path)}-1`, "5"), object("kube-system", "lock", "6")],
    }),
    ({ path, signal }) => {
      const resource = resourceOf(path);
      const batch = events[resource][opened[resource]++];
      return batch === undefined ? chunksOf([], signal) : chunksOf(batch, signal);
    },
  );
  const deps = {
    client,
    exempt: new Set(["kube-system"]),
    onProblem: (message: string) => void problems.push(message),
    onUnseen: (interval: UnseenInterval) => void unseen.push(interval),
    seenBefore,
    times,
  };
  const following = followStored(sink, deps);
  close = () => following.close();
  return { told, unseen, problems, client };
}

const patient = { timeout: 20_000, interval: 5 };

describe("followStored", () => {
  it("brings every pod, and of ConfigMaps each version that the watch shows; nothing of exempt namespaces", async () => {
    const { told, client } = follow({
      pods: [[event("ADDED", "payments", "late", "11"), event("DELETED", "payments", "late", "12")]],
      configmaps: [
        [
          event("MODIFIED", "payments", "skills", "13"),
          event("MODIFIED", "kube-system", "lock", "14"),
          event("MODIFIED", "payments", "skills", "15"),
          event("DELETED", "payments", "skills", "16"),
        ],
      ],
    });
    await vi.waitFor(() => expect(told).toHaveLength(8), patient);
    expect(told.filter((one) => one.includes("map"))).toEqual([
      "map payments/skills 13",
      "map payments/skills 15",
      "no map payments/skills 16",
    ]);
    expect(told.filter((one) => !one.includes("map"))).toEqual(
      expect.arrayContaining([
        "pod payments/pods-1",
        "listed",
        "pod payments/late",
        "gone payments/late",
        "missed",
      ]),
    );
    const accepts = client.asked.map(({ path, accept = "" }) => [
      path.includes("configmaps"),
      accept.includes("Partial"),
    ]);
    for (const [isConfigMap, isPartial] of accepts) expect(isPartial).toBe(isConfigMap);
  });

  it("says once which time nobody has seen: from when another one led until both watches look", async () => {
    const { unseen, told } = follow({ pods: [], configmaps: [] }, 1_000);
    await vi.waitFor(() => expect(told).toContain("listed"), patient);
    await vi.waitFor(
      () => expect(unseen).toEqual([{ since: 1_000, until: expect.any(Number) as number }]),
      patient,
    );
  });

  it("says it again where the versions in between are gone, and has everything looked at", async () => {
    const gone = { type: "ERROR", object: { code: 410, message: "too old", reason: "Expired" } };
    const { unseen, told } = follow({
      pods: [],
      configmaps: [[event("MODIFIED", "payments", "a", "11"), gone]],
    });
    await vi.waitFor(() => expect(unseen).toHaveLength(2), patient);
    expect(unseen[0]).not.toHaveProperty("since");
    expect(unseen[1]!.since).toBeLessThanOrEqual(unseen[1]!.until);
    expect(told.filter((one) => one === "missed")).toHaveLength(2);
  });

  it("names the right that is missing, and still looks at pods", async () => {
    const { sink, told } = noted();
    const problems: string[] = [];
    const client = scriptedClient(
      ({ path }) =>
        path.includes("configmaps")
          ? new ApiError(403, "forbidden")
          : { metadata: { resourceVersion: "10" }, items: [object("payments", "pod", "5")] },
      ({ signal }) => chunksOf([], signal),
    );
    const onProblem = (message: string) => void problems.push(message);
    const deps = {
      client,
      exempt: new Set<string>(),
      onProblem,
      onUnseen: () => undefined,
      seenBefore: undefined,
      times,
    };
    const following = followStored(sink, deps);
    close = () => following.close();
    await vi.waitFor(() => expect(told).toContain("listed"), patient);
    await vi.waitFor(() => expect(problems).toHaveLength(1), patient);
    expect(problems[0]).toContain(
      "configmaps are not watched: forbidden; give the controller's ServiceAccount its ClusterRole",
    );
  });
});
