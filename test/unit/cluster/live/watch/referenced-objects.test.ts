import { afterEach, describe, expect, it, vi } from "vitest";
import { ApiError, type ApiRequest } from "../../../../../src/cluster/live/api/client.ts";
import {
  createReferencedObjects,
  type ReferencedObjects,
} from "../../../../../src/cluster/live/watch/referenced-objects.ts";
import { reflectorDefaults } from "../../../../../src/cluster/live/watch/reflector.ts";
import type { NamedReference, ObjectReference } from "../../../../../src/policy/trust/reference.ts";
import { chunksOf, scriptedClient, type ScriptedClient } from "../live-fakes.ts";

const times = { ...reflectorDefaults, minBackoff: 1, maxBackoff: 5 };
const reference: ObjectReference = { kind: "ConfigMap", name: "roots", key: "k" };
const named = (...all: readonly NamedReference["reference"][]): readonly NamedReference[] =>
  all.map((one) => ({ name: "r/s", reference: one }));
const configMap = (value: string, resourceVersion = "1") => ({
  metadata: { name: "roots", namespace: "n", uid: "u", resourceVersion },
  data: { k: value },
});
const page = (...items: readonly object[]) => ({ metadata: { resourceVersion: "7" }, items });

let objects: ReferencedObjects | undefined;
afterEach(async () => {
  await objects?.close();
});

function open(
  client: ScriptedClient,
  over: { readonly namespace?: undefined; readonly patience?: number } = {},
) {
  const problems: string[] = [];
  const health: [string, boolean][] = [];
  let changes = 0;
  objects = createReferencedObjects({
    client,
    hooks: {
      onProblem: (message) => void problems.push(message),
      onWatchState: (resource, healthy) => void health.push([resource, healthy]),
    },
    namespace: "n",
    times,
    patience: 60_000,
    changed: () => void (changes += 1),
    ...over,
  });
  return { opened: objects, problems, health, changes: () => changes };
}

const paths = ({ asked }: ScriptedClient): readonly string[] => [
  ...new Set(asked.map(({ path }) => path.split("?")[0]!)),
];
const selectorOf = ({ path }: ApiRequest) => new URLSearchParams(path.split("?")[1]).get("fieldSelector");

describe("createReferencedObjects", () => {
  it("asks for nothing but the objects that are referred to, each by its name", async () => {
    const client = scriptedClient(
      () => page(configMap("x")),
      ({ signal }) => chunksOf([], signal),
    );
    const { opened, health } = open(client);
    expect(client.asked).toEqual([]);
    opened.follow(named(reference, { ...reference, key: "other" }));
    await vi.waitFor(() => expect(opened.read(reference)).toEqual({ text: "x" }));
    expect(opened.read({ ...reference, key: "other" }).fault).toMatch(/ConfigMap n\/roots has no key other/);
    expect(paths(client)).toEqual(["/api/v1/namespaces/n/configmaps"]);
    expect(new Set(client.asked.map(selectorOf))).toEqual(new Set(["metadata.name=roots"]));
    expect(client.asked.filter(({ path }) => !path.includes("watch=1"))).toHaveLength(1);
    expect(health).toEqual(
      expect.arrayContaining([
        ["configmaps", false],
        ["configmaps", true],
      ]),
    );
  });

  it("follows a change and a deletion, and tells of each", async () => {
    const events: object[] = [];
    let wake = (): void => undefined;
    async function* later(signal: AbortSignal): AsyncGenerator<Uint8Array> {
      for (;;) {
        for (const event of events.splice(0)) yield Buffer.from(`${JSON.stringify(event)}\n`);
        await new Promise<void>((resolve, reject) => {
          wake = resolve;
          signal.addEventListener("abort", () => reject(signal.reason as Error));
        });
      }
    }
    const { opened, changes } = open(
      scriptedClient(
        () => page(configMap("x")),
        ({ signal }) => later(signal),
      ),
    );
    opened.follow(named(reference));
    await vi.waitFor(() => expect(opened.read(reference)).toEqual({ text: "x" }));
    const before = changes();
    events.push({ type: "MODIFIED", object: configMap("y", "8") });
    await vi.waitFor(() => {
      wake();
      expect(opened.read(reference)).toEqual({ text: "y" });
    });
    events.push({ type: "DELETED", object: configMap("y", "9") });
    await vi.waitFor(() => {
      wake();
      expect(opened.read(reference).fault).toBe("there is no ConfigMap n/roots; create it");
    });
    expect(changes()).toBe(before + 2);
  });

  it("is pending until the first answer, which may be that it may not", async () => {
    const forbidden = new ApiError(403, "secrets is forbidden");
    const { opened, problems } = open(scriptedClient(() => forbidden));
    const secret: ObjectReference = { ...reference, kind: "Secret" };
    expect(opened.pending()).toBe(false);
    opened.follow(named(secret));
    expect(opened.pending()).toBe(true);
    expect(opened.read(secret).fault).toBe("Secret roots is not read yet; wait a moment");
    await vi.waitFor(() => expect(opened.pending()).toBe(false));
    const fault =
      /Secret n\/roots cannot be read: secrets is forbidden; name it in the Helm value trust\.secrets/;
    expect(opened.read(secret).fault).toMatch(fault);
    expect(problems).toEqual([expect.stringMatching(fault)]);
  });

  it("waits for nobody for ever", async () => {
    const never = new Promise<never>(() => undefined);
    const client: ScriptedClient = { ...scriptedClient(() => page()), call: () => never };
    const { opened, changes } = open(client, { patience: 1 });
    // Nor can it be closed: that would wait for this request.
    objects = undefined;
    opened.follow(named(reference));
    expect(opened.pending()).toBe(true);
    await vi.waitFor(() => expect([opened.pending(), changes()]).toEqual([false, 1]));
    expect(opened.read(reference).fault).toMatch(/is not read yet/);
  });

  it("keeps what it knew while the watch fails", async () => {
    const broken = new ApiError(500, "down");
    let lists = 0;
    const { opened, problems } = open(
      scriptedClient(
        () => ((lists += 1) === 1 ? page(configMap("x")) : broken),
        () => broken,
      ),
    );
    opened.follow(named(reference));
    await vi.waitFor(() => expect(problems).toHaveLength(1));
    expect(problems[0]).toMatch(
      /ConfigMap n\/roots cannot be read: down.*what it held before stays in force/,
    );
    expect(opened.read(reference)).toEqual({ text: "x" });
  });

  it("stops following what nobody refers to any more", async () => {
    const client = scriptedClient(
      () => page(configMap("x")),
      ({ signal }) => chunksOf([], signal),
    );
    const { opened } = open(client);
    opened.follow(named(reference));
    await vi.waitFor(() => expect(opened.read(reference)).toEqual({ text: "x" }));
    opened.follow(named({ kind: "TUF", mirror: "https://m.test", root: "{}", target: "t" }));
    expect(opened.read(reference).fault).toMatch(/is not read yet/);
    await vi.waitFor(() => expect(client.asked.at(-1)?.signal.aborted).toBe(true));
    expect(opened.pending()).toBe(false);
  });

  it("reads nothing where the controller's namespace is not known", () => {
    const client = scriptedClient(() => page());
    const { opened } = open(client, { namespace: undefined });
    opened.follow(named(reference));
    expect(opened.read(reference).fault).toMatch(/own namespace, which is not known; give --namespace/);
    expect([opened.pending(), client.asked]).toEqual([false, []]);
  });
});
