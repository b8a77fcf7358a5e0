import { describe, expect, it } from "vitest";
import { Told } from "../../../src/recheck/told.ts";
import { Workloads } from "../../../src/recheck/workloads.ts";
import type { StoredPod } from "../../../src/recheck/stored-pod.ts";
import type { ObjectReference } from "../../../src/workload/carriers/owner.ts";

const owner = (namespace: string, kind: string): ObjectReference => ({
  apiVersion: "apps/v1",
  kind,
  name: "web-1",
  namespace,
  uid: "uid-of-web-1",
});

const pod = (namespace: string, kind = "ReplicaSet"): StoredPod => ({
  uid: `uid-in-${namespace}`,
  name: "web-1-x",
  namespace,
  labels: {},
  owner: owner(namespace, kind),
  since: 0n,
});

const shortfall = {
  policy: "p",
  tenant: "t",
  mode: "Audit",
  summary: "1 of 1 skill failed: etl UNSIGNED",
  lines: [],
  codes: ["UNSIGNED"],
  key: "k",
} as const;

const told = () =>
  new Told(
    () => 0,
    () => undefined,
  );
const never = new AbortController().signal;

describe("the workload of a pod", () => {
  it("is its own, though a pod of another namespace names a controller of the same uid", async () => {
    const workloads = new Workloads(
      (one) => Promise.resolve({ ...one, kind: "Deployment", name: "web" }),
      told(),
    );
    const of = async (one: StoredPod): Promise<readonly string[]> =>
      (await workloads.notices([one], [shortfall], undefined, never)).map(
        ({ workload: { kind, name }, namespace }) => `${kind} ${namespace}/${name}`,
      );
    expect(await of(pod("forger", "StatefulSet"))).toEqual(["Deployment forger/web"]);
    expect(await of(pod("payments"))).toEqual(["Deployment payments/web"]);
    expect(workloads.of(pod("payments"))).toMatchObject({ namespace: "payments", name: "web" });
  });

  it("is asked for again where the answer did not come in time", async () => {
    const late = new AbortController();
    let asked = 0;
    const workloads = new Workloads((one) => {
      asked += 1;
      if (asked > 1) return Promise.resolve({ ...one, kind: "Deployment", name: "web" });
      late.abort();
      return Promise.resolve(one);
    }, told());
    await workloads.notices([pod("payments")], [shortfall], undefined, late.signal);
    await workloads.notices([pod("payments")], [shortfall], undefined, never);
    await workloads.notices([pod("payments")], [shortfall], undefined, never);
    expect(asked).toBe(2);
    expect(workloads.of(pod("payments"))).toMatchObject({ kind: "Deployment", name: "web" });
  });
});
