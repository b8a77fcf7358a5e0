import { describe, expect, it } from "vitest";
import { popularPods, type PopularPod } from "../../fixtures/popular-pods.ts";
import { denial, namespace, policyObject, World } from "./world.ts";

const review = (
  { spec, configMaps = {} }: Pick<PopularPod, "spec" | "configMaps">,
  unverifiable: Readonly<Record<string, unknown>> = {},
) => {
  const world = new World().withPolicies(policyObject({ unverifiable }));
  for (const [name, data] of Object.entries(configMaps))
    world.configMaps.set(name, { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace }, data });
  return world.review({ apiVersion: "v1", kind: "Pod", metadata: { name: "p", namespace }, spec });
};

const warningsOf = ({ body }: Awaited<ReturnType<typeof review>>): readonly string[] =>
  (JSON.parse(body) as { readonly response: { readonly warnings?: readonly string[] } }).response.warnings ??
  [];

const named = popularPods.map((one) => [one.name, one] as const);

describe("popular pods as their projects make them pass without a word", () => {
  it.each(named.filter(([, { refused }]) => refused === undefined))("%s", async (_name, pod) => {
    const answer = await review(pod);
    expect(denial(answer)).toBeUndefined();
    expect(warningsOf(answer)).toEqual([]);
  });
});

describe("popular pods that stay refused say why, and which field allows just that", () => {
  it.each(named.filter(([, { refused }]) => refused !== undefined))("%s", async (_name, pod) => {
    const { why, kinds } = pod.refused!;
    const text = denial(await review(pod));
    expect(text).toContain(why);
    for (const kind of kinds) expect(text).toContain(`let the policy say unverifiable.above.${kind}: Allow`);
    const above = Object.fromEntries(kinds.map((kind) => [kind, "Allow"]));
    const allowed = await review(pod, { above });
    expect(denial(allowed)).toBeUndefined();
    expect(warningsOf(allowed)).toEqual([]);
  });
});
