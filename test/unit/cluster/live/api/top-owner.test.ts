import { describe, expect, it } from "vitest";
import { ApiError } from "../../../../../src/cluster/live/api/client.ts";
import { topOwner } from "../../../../../src/cluster/live/api/top-owner.ts";
import { scriptedClient } from "../live-fakes.ts";

const signal = new AbortController().signal;
const set = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "etl-1", namespace: "payments", uid: "u-1" };
const deployment = { apiVersion: "apps/v1", kind: "Deployment", name: "etl", uid: "u-0", controller: true };
const found = (more: object = {}) => ({
  metadata: { name: "etl-1", namespace: "payments", uid: "u-1", ownerReferences: [deployment], ...more },
});

describe("topOwner", () => {
  it("is the Deployment of a ReplicaSet, and the CronJob of a Job", async () => {
    const client = scriptedClient(() => found());
    expect(await topOwner(client, set, signal)).toEqual({
      apiVersion: "apps/v1",
      kind: "Deployment",
      name: "etl",
      namespace: "payments",
      uid: "u-0",
    });
    await topOwner(client, { ...set, apiVersion: "batch/v1", kind: "Job" }, signal);
    expect(client.asked.map(({ path }) => path)).toEqual([
      "/apis/apps/v1/namespaces/payments/replicasets/etl-1",
      "/apis/batch/v1/namespaces/payments/jobs/etl-1",
    ]);
    expect(client.asked[0]?.accept).toContain("PartialObjectMetadata");
  });

  it("is the owner itself where nothing made it, what made it makes no pods, or it may not be read", async () => {
    const alone = scriptedClient(() => found({ ownerReferences: undefined }));
    expect(await topOwner(alone, set, signal)).toEqual(set);
    const node = { apiVersion: "v1", kind: "Node", name: "n", uid: "u", controller: true };
    const strange = scriptedClient(() => found({ ownerReferences: [node] }));
    expect(await topOwner(strange, set, signal)).toEqual(set);
    const forbidden = scriptedClient(() => new ApiError(403, "forbidden"));
    expect(await topOwner(forbidden, set, signal)).toEqual(set);
    const unasked = scriptedClient(() => new ApiError(500, "not to be asked"));
    expect(await topOwner(unasked, { ...set, kind: "StatefulSet" }, signal)).toMatchObject({ name: "etl-1" });
    expect(unasked.asked).toEqual([]);
  });

  it("is none where the owner does not exist, or is another one of that name", async () => {
    const gone = scriptedClient(() => new ApiError(404, "not found", { reason: "NotFound" }));
    expect(await topOwner(gone, set, signal)).toBeUndefined();
    expect(
      await topOwner(
        scriptedClient(() => found({ uid: "u-2" })),
        set,
        signal,
      ),
    ).toBeUndefined();
  });

  it("asks at no path that a pod names", async () => {
    const client = scriptedClient(() => found());
    await topOwner(client, { ...set, apiVersion: "apps/v1/../../evil", name: "../x" }, signal);
    expect(client.asked[0]?.path).toBe("/apis/apps/v1/namespaces/payments/replicasets/..%2Fx");
  });
});
