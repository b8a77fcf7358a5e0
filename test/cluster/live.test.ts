import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createApiClient, type ApiClient, type ApiRequest } from "../../src/cluster/live/api/client.ts";
import { createCertificateSecret } from "../../src/cluster/live/api/certificate-secret.ts";
import { connectByKubeconfig } from "../../src/cluster/live/api/connection.ts";
import { reflectorDefaults, startReflector, type Reflector } from "../../src/cluster/live/watch/reflector.ts";
import { createVolumeObjectSource } from "../../src/cluster/live/api/volume-object-source.ts";
import { remove } from "./harness/api.ts";
import { apply } from "./harness/apply.ts";
import { killApiServer, restartApiServer, startApiServer } from "./harness/cluster.ts";
import { createNamespace } from "./harness/namespaces.ts";
import { kubeconfig } from "./harness/opened.ts";
import { patience } from "../fixtures/patience.ts";

const namespace = "live";
const times = { ...reflectorDefaults, minBackoff: 50, maxBackoff: 500 };

let client: ApiClient;
const asked: ApiRequest[] = [];

beforeAll(async () => {
  const plain = createApiClient(await connectByKubeconfig(kubeconfig));
  client = {
    ...plain,
    call: (request) => {
      asked.push(request);
      return plain.call(request);
    },
    stream: (request) => {
      asked.push(request);
      return plain.stream(request);
    },
  };
  await createNamespace(namespace);
});

afterAll(() => client.close());

const configMap = (name: string, data: Record<string, string>) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace },
  data,
});
const ref = (name: string) => ({ kind: "ConfigMap", namespace, name }) as const;
const soon = () => AbortSignal.timeout(10_000);
const text = (file: { readonly bytes: Uint8Array } | undefined) =>
  file === undefined ? undefined : Buffer.from(file.bytes).toString();

describe("createVolumeObjectSource", () => {
  it("reads data and binaryData", async () => {
    const bytes = randomBytes(300_000);
    await apply({
      ...configMap("plain", { "SKILL.md": "ä" }),
      binaryData: { blob: bytes.toString("base64") },
    });
    const object = await createVolumeObjectSource(client).read(ref("plain"), soon());
    expect(text(object?.files.get("SKILL.md"))).toBe("ä");
    expect(Buffer.from(object!.files.get("blob")!.bytes).equals(bytes)).toBe(true);
    expect(object?.identity).toMatch(/^[0-9a-f-]{36}\/\d+$/);
  });

  it("gives undefined for what is not there", async () => {
    expect(await createVolumeObjectSource(client).read(ref("nowhere"), soon())).toBeUndefined();
  });

  it("sees every write at once, though it keeps what it read", async () => {
    const source = createVolumeObjectSource(client);
    for (let round = 0; round < 10; round += 1) {
      await apply(configMap("changing", { k: String(round) }));
      const first = await source.read(ref("changing"), soon());
      const second = await source.read(ref("changing"), soon());
      expect(text(first?.files.get("k"))).toBe(String(round));
      expect(second).toBe(first);
    }
  });

  it("asks for metadata only, where it has the object already", async () => {
    const results: string[] = [];
    const source = createVolumeObjectSource(client, undefined, { onCache: (result) => results.push(result) });
    await apply(configMap("kept", { k: "v" }));
    await source.read(ref("kept"), soon());
    asked.length = 0;
    await source.read(ref("kept"), soon());
    expect(asked.map(({ accept }) => accept)).toEqual([expect.stringContaining("PartialObjectMetadata")]);
    expect(results).toEqual(["miss", "hit"]);
  });

  it("tells an object made anew from the one before", async () => {
    const source = createVolumeObjectSource(client);
    await apply({ ...configMap("again", { k: "before" }), immutable: true });
    const before = await source.read(ref("again"), soon());
    await remove(`/api/v1/namespaces/${namespace}/configmaps/again`);
    await apply({ ...configMap("again", { k: "after" }), immutable: true });
    const after = await source.read(ref("again"), soon());
    expect(text(after?.files.get("k"))).toBe("after");
    expect(after?.identity).not.toBe(before?.identity);
  });

  it.each(["..", "../../secrets/x", "a/b", "a?b", "A", ""])("refuses the name %j", async (name) => {
    await expect(createVolumeObjectSource(client).read(ref(name), soon())).rejects.toMatchObject({
      code: "SOURCE_MALFORMED",
    });
  });

  it("says TIMEOUT when the signal aborts", async () => {
    const late = new AbortController();
    const read = createVolumeObjectSource(client).read(ref("plain"), late.signal);
    late.abort(new DOMException("the review's deadline has passed", "TimeoutError"));
    await expect(read).rejects.toMatchObject({ code: "TIMEOUT" });
  });
});

describe("createCertificateSecret", () => {
  it("creates once, replaces what it read, and says when someone was faster", async () => {
    const store = createCertificateSecret(client, namespace, "webhook-certificates");
    expect(await store.load(soon())).toBeUndefined();
    expect(await store.save({ "ca.crt": "1", old: "x" }, undefined, soon())).toBe(true);
    expect(await store.save({ "ca.crt": "2" }, undefined, soon())).toBe(false);
    const first = await store.load(soon());
    expect(first?.files).toEqual({ "ca.crt": "1", old: "x" });
    expect(await store.save({ "ca.crt": "3" }, first, soon())).toBe(true);
    expect(await store.save({ "ca.crt": "4" }, first, soon())).toBe(false);
    expect((await store.load(soon()))?.files).toEqual({ "ca.crt": "3" });
  });

  it("throws where its namespace does not exist: that is not an empty store", async () => {
    const store = createCertificateSecret(client, "nowhere", "webhook-certificates");
    await expect(store.save({}, undefined, soon())).rejects.toMatchObject({ status: 404 });
  });
});

describe("startReflector, against an API server that is killed", () => {
  let reflector: Reflector | undefined;
  const held = new Set<string>();
  const states: boolean[] = [];

  beforeAll(() => {
    reflector = startReflector(
      client,
      {
        path: `/api/v1/namespaces/${namespace}/configmaps`,
        sink: {
          set: (key) => void held.add(key),
          delete: (key) => void held.delete(key),
          keys: () => held,
          settled: () => undefined,
        },
        onState: (healthy) => void states.push(healthy),
        onFailure: () => undefined,
      },
      times,
    );
  });
  afterAll(async () => {
    await reflector?.close();
  });

  it("follows changes as they happen", async () => {
    await apply(configMap("one", {}));
    await vi.waitFor(() => expect(held).toContain("live/one"), patience);
    await remove(`/api/v1/namespaces/${namespace}/configmaps/one`);
    await vi.waitFor(() => expect(held).not.toContain("live/one"), patience);
  });

  it("says that it fails, keeps what it knows, and goes on when the server is back", async () => {
    await apply(configMap("survivor", {}));
    await vi.waitFor(() => expect(held).toContain("live/survivor"), patience);
    await killApiServer();
    await vi.waitFor(() => expect(states.at(-1)).toBe(false), patience);
    expect(held).toContain("live/survivor");
    await startApiServer();
    await apply(configMap("afterwards", {}));
    await vi.waitFor(() => expect(held).toContain("live/afterwards"), patience);
    expect(states.at(-1)).toBe(true);
  });

  it("lists anew when its version has expired (410), and forgets what was deleted meanwhile", async () => {
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    const gone: unknown[] = [];
    // A restarted server remembers no changes from before its start, so that an old version is too old for it.
    await restartApiServer();
    let first = true;
    const seen = new Set(["live/ghost"]);
    asked.length = 0;
    const second = startReflector(
      {
        ...client,
        stream: async (request) => {
          const asking = first
            ? { ...request, path: request.path.replace(/resourceVersion=\d+/, "resourceVersion=1") }
            : request;
          first = false;
          try {
            return await client.stream(asking);
          } catch (error) {
            gone.push(error);
            throw error;
          }
        },
      },
      {
        path,
        sink: {
          set: (key) => void seen.add(key),
          delete: (key) => void seen.delete(key),
          keys: () => seen,
          settled: () => undefined,
        },
        onState: () => undefined,
        onFailure: (error) => gone.push(error),
      },
      times,
    );
    const lists = () => asked.filter((request) => request.path.startsWith(`${path}?limit`)).length;
    await vi.waitFor(() => expect(lists()).toBeGreaterThanOrEqual(2), patience);
    await vi.waitFor(() => expect(second.healthy()).toBe(true), patience);
    expect(seen).toContain("live/survivor");
    expect(seen).not.toContain("live/ghost");
    await second.close();
  });

  it("fails reads with SOURCE_UNAVAILABLE while the server is down, cached or not", async () => {
    const source = createVolumeObjectSource(client);
    await source.read(ref("survivor"), soon());
    await killApiServer();
    try {
      await expect(source.read(ref("survivor"), soon())).rejects.toMatchObject({
        code: "SOURCE_UNAVAILABLE",
      });
      await expect(source.read(ref("nowhere"), soon())).rejects.toMatchObject({ code: "SOURCE_UNAVAILABLE" });
    } finally {
      await startApiServer();
    }
    expect(await source.read(ref("survivor"), soon())).toBeDefined();
  });
});
