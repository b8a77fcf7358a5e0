import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { ApiError, tooManyValues } from "../../../../../src/cluster/live/api/client.ts";
import { createVolumeObjectSource } from "../../../../../src/cluster/live/api/volume-object-source.ts";
import { scriptedClient } from "../live-fakes.ts";

const ref = { kind: "ConfigMap", namespace: "n", name: "c" } as const;
const signal = AbortSignal.timeout(60_000);
const object = (uid: string, resourceVersion: string, data: Record<string, string> = {}) => ({
  metadata: { uid, resourceVersion },
  data,
});
/** Ends what nothing holds any more, as V8 does when memory gets short. */
async function collectGarbage(): Promise<void> {
  setFlagsFromString("--expose-gc");
  await new Promise((resolve) => setImmediate(resolve));
  (runInNewContext("gc") as () => void)();
  await new Promise((resolve) => setImmediate(resolve));
}
const isMetadata = (accept?: string) => accept?.includes("PartialObjectMetadata") === true;

describe("createVolumeObjectSource", () => {
  it.each([
    ["the version is another", object("u", "2")],
    ["the uid is another", object("v", "1")],
    ["the answer has neither", {}],
  ])("reads the whole object again when %s", async (_, metadata) => {
    const client = scriptedClient(({ accept }) => (isMetadata(accept) ? metadata : object("u", "1")));
    const source = createVolumeObjectSource(client);
    await source.read(ref, signal);
    await source.read(ref, signal);
    expect(client.asked.map(({ accept }) => isMetadata(accept))).toEqual([false, true, false]);
  });

  it("reads the whole object again when keys are asked for that were not decoded", async () => {
    const client = scriptedClient(() => object("u", "1", { a: "A", b: "B" }));
    const source = createVolumeObjectSource(client);
    const read = async (...keys: string[]) => {
      const found = await source.read({ ...ref, keys: new Set(keys) }, signal);
      return [...(found?.files.keys() ?? [])];
    };
    expect(await read("a")).toEqual(["a"]);
    expect(await read("a")).toEqual(["a"]);
    expect(await read("a", "b")).toEqual(["a", "b"]);
    expect(await read("b")).toEqual(["a", "b"]);
    expect(client.asked.map(({ accept }) => isMetadata(accept))).toEqual([false, true, false, true]);
  });

  it("keeps no more than it may", async () => {
    const client = scriptedClient(() => object("u", "1", { k: "x".repeat(2000) }));
    const source = createVolumeObjectSource(client, 5_000);
    for (const name of ["a", "b", "c"]) await source.read({ ...ref, name }, signal);
    await collectGarbage();
    await source.read({ ...ref, name: "a" }, signal);
    expect(client.asked.some(({ accept }) => isMetadata(accept))).toBe(false);
  });

  it("gives a review what another one holds, as long as it is current, whatever the cache has room for", async () => {
    let version = "1";
    const client = scriptedClient(() => object("u", version, { k: version }));
    const source = createVolumeObjectSource(client, 1);
    const held = await source.read(ref, signal);
    await collectGarbage();
    expect(await source.read(ref, signal)).toBe(held);
    version = "2";
    expect((await source.read(ref, signal))?.identity).toBe("u/2");
    expect(client.asked.map(({ accept }) => isMetadata(accept))).toEqual([false, true, true, false]);
    expect(held?.identity).toBe("u/1");
  });

  it.each([
    ["403", new ApiError(403, "forbidden", { reason: "Forbidden" }), "SOURCE_UNAVAILABLE", /ServiceAccount/],
    ["500", new ApiError(500, "boom"), "SOURCE_UNAVAILABLE", /boom/],
    [
      "a 404 of something in between",
      new ApiError(404, "no such page"),
      "SOURCE_UNAVAILABLE",
      /no such page/,
    ],
    [
      "an answer of too many values",
      new ApiError(0, "too many", { reason: tooManyValues }),
      "LIMIT_EXCEEDED",
      /ConfigMap n\/c is made of more than 50000 values, mostly keys; split it/,
    ],
    ["no uid", { metadata: { resourceVersion: "1" } }, "SOURCE_MALFORMED", /no uid/],
    ["a key that no file can have", object("u", "1", { "a/b": "" }), "SOURCE_MALFORMED", /a\/b/],
  ])("never takes %s for an absent object", async (_, answer, code, message) => {
    const source = createVolumeObjectSource(scriptedClient(() => answer));
    await expect(source.read(ref, signal)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
    });
  });

  it("gives undefined for NotFound only, also after it was there", async () => {
    let there = true;
    const missing = new ApiError(404, "not found", { reason: "NotFound" });
    const source = createVolumeObjectSource(scriptedClient(() => (there ? object("u", "1") : missing)));
    expect(await source.read(ref, signal)).toBeDefined();
    there = false;
    expect(await source.read(ref, signal)).toBeUndefined();
  });

  it("says TIMEOUT for a signal that has aborted", async () => {
    const source = createVolumeObjectSource(scriptedClient(() => object("u", "1")));
    await expect(source.read(ref, AbortSignal.abort())).rejects.toMatchObject({ code: "TIMEOUT" });
  });
});
