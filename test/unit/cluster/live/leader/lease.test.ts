import { beforeEach, describe, expect, it } from "vitest";
import { ApiError } from "../../../../../src/cluster/live/api/client.ts";
import { createLeaseStore, unregisteredAnnotation } from "../../../../../src/cluster/live/leader/lease.ts";
import { FakeApi } from "../fake-api.ts";

const path = "/apis/coordination.k8s.io/v1/namespaces/skills/leases/skill-admission";
const soon = (): AbortSignal => AbortSignal.timeout(5_000);
const record = { holder: "a", durationSeconds: 15, transitions: 2 };

let api: FakeApi;
const store = () => createLeaseStore(api, "skills", "skill-admission");

beforeEach(() => {
  api = new FakeApi();
});

describe("createLeaseStore", () => {
  it("creates the Lease, where there is none, and reads what it wrote", async () => {
    expect(await store().read(soon())).toBeUndefined();
    await store().write({ ...record, unregistered: "uid" }, undefined, soon());
    expect(api.objects.get(path)).toMatchObject({
      kind: "Lease",
      metadata: { namespace: "skills", annotations: { [unregisteredAnnotation]: "uid" } },
      spec: { holderIdentity: "a", leaseDurationSeconds: 15, leaseTransitions: 2 },
    });
    expect((await store().read(soon()))?.record).toEqual({ ...record, unregistered: "uid" });
  });

  it("keeps what others wrote into its metadata, and takes only its own mark away", async () => {
    const annotations = { "other.example/note": "x", [unregisteredAnnotation]: "uid" };
    api.put(path, { kind: "Lease", metadata: { labels: { team: "a" }, annotations }, spec: {} });
    const before = await store().read(soon());
    expect(before?.record).toEqual({ holder: "", durationSeconds: 0, transitions: 0, unregistered: "uid" });
    await store().write({ ...record, unregistered: undefined }, before, soon());
    expect(api.objects.get(path)?.metadata).toMatchObject({
      labels: { team: "a" },
      annotations: { "other.example/note": "x" },
    });
    expect((await store().read(soon()))?.record).toEqual(record);
  });

  it("writes nothing over what it has not seen", async () => {
    api.put(path, { metadata: {}, spec: {} });
    expect(await store().write(record, undefined, soon())).toBeUndefined();
    const before = await store().read(soon());
    api.put(path, { metadata: {}, spec: { holderIdentity: "b" } });
    expect(await store().write(record, before, soon())).toBeUndefined();
    api.objects.delete(path);
    expect(await store().write(record, before, soon())).toBeUndefined();
    expect(api.objects.size).toBe(0);
  });

  it("is not misled by what is no Lease", async () => {
    for (const spec of [null, "x", { holderIdentity: 7, leaseDurationSeconds: "15", leaseTransitions: -1 }]) {
      api.put(path, { metadata: { annotations: [] }, spec });
      expect((await store().read(soon()))?.record).toEqual({
        holder: "",
        durationSeconds: 0,
        transitions: 0,
      });
    }
  });

  it("passes on what the API server refuses", async () => {
    api.before = () => {
      throw new ApiError(403, "forbidden");
    };
    await expect(store().read(soon())).rejects.toMatchObject({ status: 403 });
    await expect(store().write(record, undefined, soon())).rejects.toMatchObject({ status: 403 });
  });
});
