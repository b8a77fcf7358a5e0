import { describe, expect, it } from "vitest";
import type { ReviewAnswer } from "../../../src/admission/handle.ts";
import type { KubernetesObject } from "../../../src/kubernetes/object.ts";
import { SourceError } from "../../../src/skill/source-error.ts";
import { changed, configMapOf, denial, namespace, policyObject, published, World } from "./world.ts";

const responseOf = ({ body }: ReviewAnswer) =>
  (JSON.parse(body) as { readonly response: { readonly warnings?: readonly string[] } }).response;

const dry = { dryRun: true };
const absent = "ConfigMap payments/skills-etl does not exist";
const awaited = `payments: /skills/data-designer: SOURCE_UNAVAILABLE ${absent} yet, so it could not be judged`;

const deploymentOf = (template: KubernetesObject): KubernetesObject => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "etl", namespace },
  spec: { template },
});

/** A world in which the pod's ConfigMap is not there yet. */
function awaiting(...policies: readonly KubernetesObject[]) {
  const world = new World();
  if (policies.length > 0) world.withPolicies(...policies);
  const pod = world.carry(published.skill);
  world.configMaps.delete("skills-etl");
  return { world, pod };
}

/** The pod with a second skill, of the ConfigMap `more`. */
function withSecond(pod: KubernetesObject, items: readonly object[]): KubernetesObject {
  const spec = pod["spec"] as Readonly<Record<"volumes", readonly object[]>>;
  const mounts = [
    { name: "skill", mountPath: "/skills/data-designer" },
    { name: "more", mountPath: "/skills/more" },
  ];
  return {
    ...pod,
    spec: {
      volumes: [...spec.volumes, { name: "more", configMap: { name: "more", items } }],
      containers: [{ name: "agent", volumeMounts: mounts }],
    },
  };
}

describe("a ConfigMap that does not exist yet", () => {
  it("denies a pod, which starts at once", async () => {
    const { world, pod } = awaiting();
    expect(denial(await world.review(pod))).toContain(absent);
  });

  it.each([
    ["a dry run of a pod, as Flux, Argo CD and kubectl diff make", (pod: KubernetesObject) => pod, dry],
    ["a Deployment, whose pods are judged when they come", deploymentOf, {}],
  ])("is a warning for %s", async (_, objectOf, request) => {
    const { world, pod } = awaiting(policyObject({ controllers: "Enforce" }));
    const answer = await world.review(objectOf(pod), request);
    expect(denial(answer)).toBeUndefined();
    expect(responseOf(answer).warnings).toEqual([
      `${awaited}; fix: see that it comes before a pod starts; skill-admission apply --cluster --resource FILE judges both beforehand`,
    ]);
    expect(answer.decision).toMatchObject({ outcome: "warn" });
  });

  it("leaves the rest of its skill unjudged, which would be another skill", async () => {
    const { world, pod } = awaiting();
    const { object, items } = configMapOf(published.skill);
    const [half, rest] = [items.slice(0, 1), items.slice(1)];
    const part = (name: string, of: readonly object[]) => ({ configMap: { name, items: of } });
    const volumes = [{ name: "skill", projected: { sources: [part("here", half), part("later", rest)] } }];
    world.configMaps.set("here", { ...object, metadata: { name: "here", namespace } });
    const split = { ...pod, spec: { ...(pod["spec"] as object), volumes } };
    const answer = await world.review(split, dry);
    expect(denial(answer)).toBeUndefined();
    expect(responseOf(answer).warnings).toHaveLength(1);
    expect(denial(await world.review(split))).toContain("ConfigMap payments/later does not exist");
  });

  it("lets nothing else of the pod through", async () => {
    const { world, pod } = awaiting();
    const { object, items } = configMapOf(changed);
    world.configMaps.set("more", { ...object, metadata: { name: "more", namespace } });
    const text = denial(await world.review(withSecond(pod, items), dry));
    expect(text).toContain("DIGEST_MISMATCH");
    expect(text).not.toContain(absent);
  });

  it("is no excuse for one that could not be read, or that lacks a key", async () => {
    const { world, pod } = awaiting();
    world.readInstead = () => Promise.reject(new SourceError("SOURCE_UNAVAILABLE", "no answer"));
    expect(denial(await world.review(pod, dry))).toContain("no answer");
    world.readInstead = undefined;
    const { object } = configMapOf(published.skill);
    world.configMaps.set("skills-etl", { ...object, binaryData: {} });
    expect(denial(await world.review(pod, dry))).toContain('has no key "f0"');
  });

  it("is no excuse under a policy that cannot be used", async () => {
    const { world, pod } = awaiting(policyObject({ publishers: [{ name: "team", trustRoot: "none" }] }));
    expect(denial(await world.review(pod, dry))).toContain("the policy cannot be used");
  });
});
