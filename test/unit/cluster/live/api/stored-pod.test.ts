import { describe, expect, it } from "vitest";
import { ApiError, tooManyValues } from "../../../../../src/cluster/live/api/client.ts";
import { readStoredPod } from "../../../../../src/cluster/live/api/stored-pod.ts";
import { scriptedClient } from "../live-fakes.ts";

const signal = AbortSignal.timeout(60_000);
const read = (client: ReturnType<typeof scriptedClient>, name = "etl") =>
  readStoredPod(client, "payments", name, signal);
const failing = (error: Error) =>
  scriptedClient(() => {
    throw error;
  });

describe("readStoredPod", () => {
  it("reads from the quorum, by no version and no cache, and makes no more values than a review", async () => {
    const pod = { metadata: { name: "etl", uid: "u" } };
    const client = scriptedClient(() => pod);
    expect(await read(client)).toEqual(pod);
    expect(await read(client)).toEqual(pod);
    const path = "/api/v1/namespaces/payments/pods/etl";
    expect(client.asked).toMatchObject([
      { path, maxValues: 50_000 },
      { path, maxValues: 50_000 },
    ]);
  });

  it("tells that there is none from a path that is not there", async () => {
    expect(await read(failing(new ApiError(404, "none", { reason: "NotFound" })))).toBeUndefined();
    await expect(read(failing(new ApiError(404, "no such path")))).rejects.toMatchObject({
      code: "SOURCE_UNAVAILABLE",
    });
  });

  it.each([
    [new ApiError(403, "no right"), "SOURCE_UNAVAILABLE", /Pod payments\/etl could not be read.*allow/],
    [new ApiError(0, "no answer"), "SOURCE_UNAVAILABLE", /Pod payments\/etl could not be read/],
    [new ApiError(0, "wide", { reason: tooManyValues }), "LIMIT_EXCEEDED", /Pod payments\/etl/],
    [new DOMException("late", "TimeoutError"), "TIMEOUT", /in time/],
  ])("names the pod when it cannot be read: %s", async (error, code, message) => {
    await expect(read(failing(error))).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
    });
  });

  it.each(["../secrets/x", "etl*", ""])(
    "asks for no name that Kubernetes does not allow: %j",
    async (name) => {
      const client = scriptedClient(() => ({}));
      await expect(read(client, name)).rejects.toMatchObject({ code: "SOURCE_MALFORMED" });
      expect(client.asked).toEqual([]);
    },
  );
});
