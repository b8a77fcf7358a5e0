import { describe, expect, it } from "vitest";
import { adviceOn } from "../../../src/recheck/advice.ts";
import type { StoredPod } from "../../../src/recheck/stored-pod.ts";
import { carriers } from "../../../src/workload/carriers/carriers.ts";

const pod = (name: string, owner: string): StoredPod => ({
  uid: name,
  name,
  namespace: "payments",
  labels: {},
  owner: { apiVersion: "batch/v1", kind: "Job", name: owner },
  since: 0n,
});

const pods = [pod("etl-1", "etl-a"), pod("etl-2", "etl-a"), pod("etl-3", "etl-b")];

const adviceFor = (kind: string): string =>
  adviceOn(["DIGEST_MISMATCH", "REVOKED"], { apiVersion: "v1", kind, name: "etl" }, pods);

describe("what to do about stored pods that do not comply", () => {
  it.each([
    [
      "Deployment",
      "correct it in Deployment etl, with ConfigMaps of new names, and see that its rollout replaces Pod etl-1 and 2 more",
    ],
    [
      "StatefulSet",
      "correct it in StatefulSet etl, with ConfigMaps of new names, and see that its rollout replaces Pod etl-1 and 2 more: where updateStrategy is OnDelete, delete them",
    ],
    [
      "DaemonSet",
      "correct it in DaemonSet etl, with ConfigMaps of new names, and see that its rollout replaces Pod etl-1 and 2 more: where updateStrategy is OnDelete, delete them",
    ],
    [
      "ReplicaSet",
      "correct it in ReplicaSet etl, with ConfigMaps of new names, then delete Pod etl-1 and 2 more, which it makes anew",
    ],
    [
      "ReplicationController",
      "correct it in ReplicationController etl, with ConfigMaps of new names, then delete Pod etl-1 and 2 more, which it makes anew",
    ],
    [
      "Job",
      "delete Job etl, whose template cannot be changed, and create it anew, corrected, with ConfigMaps of new names",
    ],
    [
      "CronJob",
      "correct it in CronJob etl, with ConfigMaps of new names, then delete Job etl-a and 1 more, which keeps its old template",
    ],
    [
      "Pod",
      "delete Pod etl-1 and 2 more, and create it anew, or what makes it, corrected, with ConfigMaps of new names",
    ],
  ])("goes by what they belong to: %s", (kind, advice) => {
    expect(adviceFor(kind)).toBe(advice);
  });

  it("asks first for the policy, trust and lists, where the files themselves are as they were", () => {
    const deployment = { apiVersion: "apps/v1", kind: "Deployment", name: "etl" };
    for (const codes of [["UNTRUSTED_SIGNER"], ["REVOKED", "GRADE_BELOW_MINIMUM"]] as const)
      expect(adviceOn(codes, deployment, pods)).toBe(
        `if the policy, its trust or a revocation was changed by mistake, put that right, and nothing has to be replaced; otherwise ${adviceFor("Deployment")}`,
      );
  });

  it("is about the owner for every kind that owns pods", () => {
    for (const { kind, ownsPods } of carriers)
      expect(adviceFor(kind).includes(`${kind} etl,`), kind).toBe(ownsPods);
  });

  it("leaves an Event's last line whole, whatever the names", () => {
    const long = "x".repeat(253);
    for (const { kind } of carriers)
      expect(
        adviceOn(["REVOKED"], { apiVersion: "v1", kind, name: long }, [pod(long, long), pod("b", "c")])
          .length,
      ).toBeLessThan(850);
  });
});
