import { describe, expect, it } from "vitest";
import { reviewedResources } from "../../../../src/admission/decision.ts";
import { webhookConfiguration } from "../../../../src/cluster/live/registration/webhook-configuration.ts";
import { everywhere, nowhere } from "../../../fixtures/governed.ts";
import { carrierOf, carriers, type Carrier } from "../../../../src/workload/carriers/carriers.ts";

interface Webhook {
  readonly rules: readonly { readonly apiGroups: readonly string[]; readonly resources: readonly string[] }[];
  readonly matchConditions: readonly { readonly expression: string }[];
}

const table: readonly Carrier[] = carriers;
const webhooks = webhookConfiguration({
  address: { url: "https://h:1" },
  caBundle: "",
  governed: everywhere,
  bindings: nowhere,
})["webhooks"] as readonly Webhook[];

describe("carriers", () => {
  it.each(table)("registers $resource under its group", ({ group, resource, kind }) => {
    const asked = webhooks.filter(({ rules }) =>
      rules.some((rule) => rule.apiGroups.includes(group) && rule.resources.includes(resource)),
    );
    expect(asked).toHaveLength(1);
    // The webhook of pods is asked about nothing else.
    const conditions = asked[0]!.matchConditions.map(({ expression }) => expression).join();
    if (resource !== "pods") expect(conditions).toContain(`'${kind}'`);
    expect(reviewedResources).toContain(resource);
  });

  it.each(table)("lets no update of $kind by that changes its pod", ({ podPath, unchangedWhen }) => {
    const covers = (path: readonly string[]): boolean =>
      unchangedWhen.some((field) => field.every((name, index) => path[index] === name));
    const bringIn = ["containers", "initContainers", "ephemeralContainers", "volumes"];
    const paths = podPath.length === 0 ? bringIn.map((field) => ["spec", field]) : [podPath];
    expect(paths.filter((path) => !covers(path))).toEqual([]);
  });

  it.each(table)("knows $kind in any version of its group, and in no other group", ({ group, kind }) => {
    const version = group === "" ? "v7" : `${group}/v7`;
    expect(carrierOf(version, kind)?.kind).toBe(kind);
    expect(carrierOf("example.com/v1", kind)).toBeUndefined();
    expect(carrierOf(undefined, kind)).toBeUndefined();
  });
});
