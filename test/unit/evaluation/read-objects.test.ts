import { describe, expect, it } from "vitest";
import { readObjects, readsAtOnce } from "../../../src/evaluation/read-objects.ts";
import { SkillFile } from "../../../src/skill/skill.ts";
import { SourceError } from "../../../src/skill/source-error.ts";
import type { SkillSource, VolumeObject, VolumeObjectRequest } from "../../../src/skill/source.ts";
import { volumeObject } from "../../fixtures/pods.ts";

const signal = new AbortController().signal;
const requests = (count: number): readonly VolumeObjectRequest[] =>
  Array.from({ length: count }, (_, index) => ({ kind: "ConfigMap", namespace: "n", name: `c${index}` }));

/** A source that counts its reads and the most concurrent ones. */
class CountingSource implements SkillSource {
  reads = 0;
  most = 0;
  #open = 0;
  readonly #answer: (request: VolumeObjectRequest) => VolumeObject | undefined;

  constructor(answer: (request: VolumeObjectRequest) => VolumeObject | undefined) {
    this.#answer = answer;
  }

  async read(request: VolumeObjectRequest): Promise<VolumeObject | undefined> {
    this.reads += 1;
    this.#open += 1;
    this.most = Math.max(this.most, this.#open);
    await new Promise((resolve) => setImmediate(resolve));
    this.#open -= 1;
    return this.#answer(request);
  }
}

const mebibyte = new SkillFile(Buffer.alloc(1024 * 1024));
const ofOneMebibyte = (request: VolumeObjectRequest): VolumeObject => ({
  ...volumeObject(request, {}),
  files: new Map([["k", mebibyte]]),
});

describe("readObjects", () => {
  it("reads all of them, eight at once", async () => {
    const source = new CountingSource(ofOneMebibyte);
    const read = await readObjects(requests(64), source, signal);
    expect(read.size).toBe(64);
    expect(source.reads).toBe(64);
    expect(source.most).toBe(8);
  });

  it("reads nothing further once the bytes are more than a pod may mount", async () => {
    const source = new CountingSource(ofOneMebibyte);
    await expect(readObjects(requests(200), source, signal)).rejects.toMatchObject({
      code: "LIMIT_EXCEEDED",
      message: expect.stringMatching(/64 MiB of ConfigMaps .*; mount fewer/) as string,
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(source.reads).toBeLessThanOrEqual(64 + 2 * readsAtOnce);
  });

  it("reads nothing further once the keys are more than a pod may mount", async () => {
    const keys = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`k${index}`, ""]));
    const object = volumeObject({ kind: "ConfigMap", namespace: "n", name: "c" }, keys);
    const source = new CountingSource(() => object);
    expect((await readObjects(requests(5), source, signal)).size).toBe(5);
    source.reads = 0;
    await expect(readObjects(requests(200), source, signal)).rejects.toThrow(/more than 50000 keys/);
    expect(source.reads).toBeLessThanOrEqual(5 + 2 * readsAtOnce);
  });

  it("counts and gives the keys that are asked for, whatever the source has at hand", async () => {
    const more = ({ kind, name }: VolumeObjectRequest) =>
      volumeObject({ kind, namespace: "n", name }, { k: "K", l: "L" });
    const asked = requests(1).map((request) => ({ ...request, keys: new Set(["l", "m"]) }));
    const read = await readObjects(asked, new CountingSource(more), signal);
    const object = read.get("ConfigMap/c0");
    expect(object instanceof SourceError ? undefined : [...(object?.files.keys() ?? [])]).toEqual(["l"]);
  });

  it("keeps an error or the absence of one object as that, and reads on", async () => {
    const fault = new SourceError("SOURCE_UNAVAILABLE", "no");
    const source = new CountingSource((request) => {
      if (request.name === "c0") throw fault;
      return request.name === "c1" ? undefined : volumeObject(request, {});
    });
    const read = await readObjects(requests(3), source, signal);
    expect(read.get("ConfigMap/c0")).toBe(fault);
    expect(read.has("ConfigMap/c1")).toBe(true);
    expect(read.get("ConfigMap/c1")).toBeUndefined();
    expect(read.get("ConfigMap/c2")).toBeDefined();
  });

  it("ends when its time has passed, and with errors that are none of the source", async () => {
    const spent = new AbortController();
    const source = new CountingSource((request) => {
      spent.abort();
      return volumeObject(request, {});
    });
    await expect(readObjects(requests(50), source, spent.signal)).rejects.toMatchObject({ code: "TIMEOUT" });
    expect(source.reads).toBeLessThanOrEqual(readsAtOnce);
    const broken = new CountingSource(() => {
      throw new TypeError("a fault of ours");
    });
    await expect(readObjects(requests(1), broken, signal)).rejects.toThrow(TypeError);
  });
});
