import { beforeEach, describe, expect, it } from "vitest";
import { ApiError } from "../../../../../src/cluster/live/api/client.ts";
import { unregisteredAnnotation } from "../../../../../src/cluster/live/leader/lease.ts";
import { unregister } from "../../../../../src/cluster/live/registration/unregister.ts";
import { FakeApi } from "../fake-api.ts";

const webhook = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/skill-admission";
const service = "/api/v1/namespaces/skills/services/skill-admission";
const lease = "/apis/coordination.k8s.io/v1/namespaces/skills/leases/skill-admission";
const target = { namespace: "skills", service: "skill-admission", lease: "skill-admission" };
const times = { poll: 5, settle: 60, request: 1_000 };

let api: FakeApi;
const run = (milliseconds = 5_000) => unregister(api, target, AbortSignal.timeout(milliseconds), times);
const markOf = () =>
  (api.objects.get(lease)?.metadata as { annotations?: Record<string, string> } | undefined)?.annotations?.[
    unregisteredAnnotation
  ];

beforeEach(() => {
  api = new FakeApi();
  api.put(service, { metadata: { uid: "installation-1" } });
  api.put(lease, { metadata: {}, spec: { holderIdentity: "a", leaseDurationSeconds: 15 } });
  api.put(webhook, { metadata: {} });
});

describe("unregister", () => {
  it("marks the Lease for this installation before it deletes the registration", async () => {
    expect(await run()).toEqual({ gone: true, found: true, marked: true });
    expect(api.objects.has(webhook)).toBe(false);
    expect(markOf()).toBe("installation-1");
    expect(api.objects.get(lease)).toMatchObject({ spec: { holderIdentity: "a" } });
    expect(api.written().slice(0, 2)).toEqual([
      "PUT leases/skill-admission",
      "DELETE validatingwebhookconfigurations/skill-admission",
    ]);
  });

  it("comes to the same when it is done again", async () => {
    await run();
    const before = api.objects.get(lease);
    expect(await run()).toEqual({ gone: true, found: false, marked: true });
    expect(api.objects.get(lease)).toBe(before);
  });

  it("goes on when the leader renews its Lease in between", async () => {
    let renewals = 0;
    api.before = ({ method, path }) => {
      if (method === "PUT" && path === lease && renewals < 3) {
        renewals += 1;
        api.put(lease, api.objects.get(lease)!);
      }
    };
    expect(await run()).toMatchObject({ gone: true, marked: true });
    expect(markOf()).toBe("installation-1");
  });

  it("deletes again what a leader had begun to write", async () => {
    let returned = false;
    api.before = ({ method }) => {
      if (method === "DELETE" && !api.objects.has(webhook) && !returned) {
        returned = true;
        api.put(webhook, { metadata: {} });
      }
    };
    expect(await run()).toEqual({ gone: true, found: true, marked: true });
    expect([returned, api.objects.has(webhook)]).toEqual([true, false]);
  });

  it("says so when something registers it again and again, and ends in time", async () => {
    api.before = ({ method }) => {
      if (method === "DELETE") api.put(webhook, { metadata: {} });
    };
    expect(await run(200)).toEqual({
      gone: false,
      found: true,
      marked: true,
      problem: "something registers it again and again",
    });
  });

  it("removes the registration also where replicas cannot be told, and says so", async () => {
    api.before = ({ path }) => {
      if (path.startsWith("/apis/coordination")) throw new ApiError(403, "leases are forbidden");
    };
    expect(await run()).toEqual({ gone: true, found: true, marked: "leases are forbidden" });
  });

  it("says what it lacks, without waiting, when it may not delete the registration", async () => {
    api.before = ({ method }) => {
      if (method === "DELETE") throw new ApiError(403, "may not delete");
    };
    expect(await run()).toEqual({ gone: false, found: false, marked: true, problem: "may not delete" });
  });

  it("waits for an API server that is away for a moment", async () => {
    let failures = 3;
    api.before = ({ method }) => {
      if (method === "DELETE" && failures-- > 0) throw new ApiError(0, "no route");
    };
    expect(await run()).toMatchObject({ gone: true, found: true });
  });

  it("leaves nothing behind where nothing is installed", async () => {
    api.objects.clear();
    expect(await run()).toEqual({ gone: true, found: false, marked: false });
    expect(api.objects.size).toBe(0);
  });

  it("marks a Lease that does not exist yet: a replica could be about to make it", async () => {
    api.objects.delete(lease);
    await run();
    expect(markOf()).toBe("installation-1");
  });

  it("marks an installation without a Service, such as processes beside the cluster", async () => {
    api.objects.delete(service);
    await run();
    expect(markOf()).toBe("none");
  });
});
