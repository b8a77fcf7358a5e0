import { describe, expect, it } from "vitest";
import { changed, denial, policyObject, World } from "./world.ts";

const lease = {
  apiVersion: "coordination.k8s.io/v1",
  kind: "Lease",
  metadata: { name: "skill-admission-self-check" },
};

describe("the controller's own question", () => {
  it("is answered yes, and is no decision: nothing is logged or counted of it", async () => {
    const answer = await new World().withPolicies(policyObject()).review(lease, { dryRun: true });
    expect(answer).toMatchObject({ status: 200, isSelfCheck: true });
    expect(answer).not.toHaveProperty("decision");
    expect(JSON.parse(answer.body)).toMatchObject({ response: { allowed: true } });
  });

  it.each([
    ["another Lease", { ...lease, metadata: { name: "kube-scheduler" } }, { dryRun: true }],
    ["one that is to be stored", lease, {}],
    ["one without an object", null, { kind: { kind: "Lease" }, dryRun: true }],
  ])("is not %s", async (_, object, request) => {
    const answer = await new World().withPolicies(policyObject()).review(object, request);
    expect(answer).not.toHaveProperty("isSelfCheck");
    expect(answer).toHaveProperty("decision");
  });

  it("is no way in: a pod under its name, or that calls itself a Lease, is judged", async () => {
    const world = new World().withPolicies(policyObject());
    const pod = world.carry(changed);
    const named = { ...pod, metadata: { ...(pod.metadata as object), name: lease.metadata.name } };
    for (const kind of ["Pod", "Lease"]) {
      const request = {
        kind: { group: "", version: "v1", kind },
        resource: { resource: "pods" },
        dryRun: true,
      };
      expect(denial(await world.review(named, request))).toContain("DIGEST_MISMATCH");
    }
  });
});
