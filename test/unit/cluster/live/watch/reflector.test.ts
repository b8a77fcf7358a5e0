import { afterEach, describe, expect, it, vi } from "vitest";
import { ApiError, type ApiRequest } from "../../../../../src/cluster/live/api/client.ts";
import {
  reflectorDefaults,
  startReflector,
  type Reflector,
  type ReflectorTimes,
} from "../../../../../src/cluster/live/watch/reflector.ts";
import { chunksOf, scriptedClient } from "../live-fakes.ts";

const times: ReflectorTimes = { ...reflectorDefaults, minBackoff: 1, maxBackoff: 5 };

const item = (name: string, resourceVersion: string) => ({
  metadata: { name, namespace: "n", resourceVersion },
});
const page = (items: readonly object[], resourceVersion: string, next?: string) => ({
  metadata: { resourceVersion, ...(next === undefined ? {} : { continue: next }) },
  items,
});
const event = (type: string, object: object) => ({ type, object });

function recorder() {
  const held = new Map<string, unknown>();
  const states: boolean[] = [];
  const failures: unknown[] = [];
  let settled = 0;
  return {
    held,
    states,
    failures,
    settled: () => settled,
    target: {
      path: "/api/v1/pods",
      sink: {
        set: (key: string, object: { readonly metadata?: unknown }) =>
          void held.set(key, (object.metadata as { resourceVersion: string }).resourceVersion),
        delete: (key: string) => void held.delete(key),
        keys: () => held.keys(),
        settled: () => void (settled += 1),
      },
      onState: (healthy: boolean) => void states.push(healthy),
      onFailure: (error: unknown) => void failures.push(error),
    },
  };
}

const isWatch = ({ path }: ApiRequest) => path.includes("watch=1");
const versionAsked = ({ path }: ApiRequest) => new URLSearchParams(path.split("?")[1]).get("resourceVersion");

let reflector: Reflector | undefined;
afterEach(async () => {
  await reflector?.close();
});

describe("startReflector", () => {
  it("lists in pages, then watches from the list's version", async () => {
    const seen = recorder();
    const client = scriptedClient(
      ({ path }) =>
        path.includes("continue=more") ? page([item("b", "2")], "7") : page([item("a", "1")], "7", "more"),
      ({ signal }) => chunksOf([event("ADDED", item("c", "8")), event("DELETED", item("a", "9"))], signal),
    );
    reflector = startReflector(client, seen.target, times);
    await vi.waitFor(() =>
      expect([...seen.held]).toEqual([
        ["n/b", "2"],
        ["n/c", "8"],
      ]),
    );
    expect(client.asked[0]?.path).toContain("limit=500");
    expect(client.asked[0]?.path).not.toContain("resourceVersion");
    expect(versionAsked(client.asked.find(isWatch)!)).toBe("7");
    expect(reflector.synced()).toBe(true);
    expect(seen.states).toEqual([true]);
    expect(seen.settled()).toBe(3);
  });

  it("goes on from the last version, bookmarks included, when a watch breaks", async () => {
    const seen = recorder();
    let watches = 0;
    const client = scriptedClient(
      () => page([], "7"),
      ({ signal }) =>
        (watches += 1) === 1 ? chunksOf([event("BOOKMARK", item("", "20"))], "end") : chunksOf([], signal),
    );
    reflector = startReflector(client, seen.target, times);
    await vi.waitFor(() => expect(client.asked.filter(isWatch)).toHaveLength(2));
    expect(client.asked.filter(isWatch).map(versionAsked)).toEqual(["7", "20"]);
    expect(client.asked.filter((asked) => !isWatch(asked))).toHaveLength(1);
    expect(seen.failures).toEqual([]);
  });

  it.each([
    ["as an answer", () => new ApiError(410, "too old", { reason: "Expired" })],
    [
      "as an event",
      () => chunksOf([event("ERROR", { code: 410, message: "too old", reason: "Expired" })], "end"),
    ],
  ])("lists again, and forgets what is gone, on 410 %s", async (_, expired) => {
    const seen = recorder();
    let lists = 0;
    let watches = 0;
    const client = scriptedClient(
      () => ((lists += 1) === 1 ? page([item("old", "1")], "7") : page([item("new", "8")], "9")),
      ({ signal }) => ((watches += 1) === 1 ? expired() : chunksOf([], signal)),
    );
    reflector = startReflector(client, seen.target, times);
    await vi.waitFor(() => expect([...seen.held.keys()]).toEqual(["n/new"]));
    expect(lists).toBe(2);
    expect(seen.failures).toEqual([]);
  });

  it("never gives up, says once that it fails and once that it works again", async () => {
    const seen = recorder();
    let lists = 0;
    const client = scriptedClient(
      () => ((lists += 1) <= 5 ? new ApiError(0, "connect ECONNREFUSED") : page([item("a", "1")], "7")),
      ({ signal }) => chunksOf([], signal),
    );
    reflector = startReflector(client, seen.target, times);
    expect(reflector.synced()).toBe(false);
    await vi.waitFor(() => expect(seen.held.size).toBe(1));
    expect(seen.failures).toHaveLength(1);
    expect(seen.states).toEqual([true]);
  });

  it("tells when a watch that worked begins to fail, and keeps what it held", async () => {
    const seen = recorder();
    let watches = 0;
    const client = scriptedClient(
      () => page([item("a", "1")], "7"),
      ({ signal }) => ((watches += 1) === 4 ? chunksOf([], signal) : new ApiError(503, "shutting down")),
    );
    reflector = startReflector(client, seen.target, times);
    await vi.waitFor(() => expect(watches).toBe(4));
    await vi.waitFor(() => expect(seen.states).toEqual([true, false, true]));
    expect(seen.failures).toHaveLength(1);
    expect([...seen.held.keys()]).toEqual(["n/a"]);
  });

  it("takes a silent watch for dead and begins another", async () => {
    const seen = recorder();
    const client = scriptedClient(
      () => page([], "7"),
      ({ signal }) => chunksOf([], signal),
    );
    reflector = startReflector(client, seen.target, { ...times, stall: 20 });
    await vi.waitFor(() => expect(client.asked.filter(isWatch).length).toBeGreaterThan(2));
    expect(String(seen.failures[0])).toContain("silent");
  });

  it("lists anew after the resync time, whatever the watch said", async () => {
    const seen = recorder();
    let lists = 0;
    const client = scriptedClient(
      () => ((lists += 1) === 1 ? page([item("missed", "1")], "7") : page([], "9")),
      () => chunksOf([], "end"),
    );
    reflector = startReflector(client, seen.target, { ...times, resync: -1 });
    await vi.waitFor(() => expect(lists).toBeGreaterThan(1));
    expect(seen.held.size).toBe(0);
  });

  it("does not run in circles when watches end at once", async () => {
    const seen = recorder();
    const client = scriptedClient(
      () => page([], "7"),
      () => chunksOf([], "end"),
    );
    reflector = startReflector(client, seen.target, { ...times, minBackoff: 40, maxBackoff: 40 });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(client.asked.filter(isWatch).length).toBeLessThan(12);
  });

  it("refuses garbage in a watch and begins another", async () => {
    const seen = recorder();
    let watches = 0;
    const client = scriptedClient(
      () => page([], "7"),
      ({ signal }) =>
        (watches += 1) === 1
          ? (async function* () {
              await Promise.resolve();
              yield Buffer.from("{not json}\n");
            })()
          : chunksOf([event("ADDED", item("a", "8"))], signal),
    );
    reflector = startReflector(client, seen.target, times);
    await vi.waitFor(() => expect(seen.held.size).toBe(1));
    expect(String(seen.failures[0])).toContain("not JSON");
  });
});
