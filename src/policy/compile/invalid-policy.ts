import { isFields } from "../../text/fields.ts";
import type { z } from "zod";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { clusterSkillPolicySpec } from "../resource/cluster-skill-policy.ts";
import { nameOf } from "../resource/schema/name.ts";
import { selectorMatches } from "../../kubernetes/label-selector.ts";
import type { Policy } from "../policy.ts";

const { shape } = clusterSkillPolicySpec;

/** The value of one field, or the strictest possible one if the field itself cannot be read. */
function readable<T>(schema: z.ZodType<T>, value: unknown, strictest: T): T {
  const result = schema.safeParse(value);
  return result.success ? result.data : strictest;
}

/**
 * Every folder that a list of skill roots could mean: a superfluous slash makes the policy invalid, but must not
 * hide the skills below that root.
 */
function salvagedRoots(value: unknown): readonly string[] {
  const items: readonly unknown[] = Array.isArray(value) ? value : [value];
  const roots = items.slice(0, 1_000).flatMap((item) => {
    if (typeof item !== "string" || item.length > 4_096) return [];
    const components: string[] = [];
    for (const component of item.trim().split("/")) {
      if (component === "..") components.pop();
      else if (component !== "" && component !== ".") components.push(component);
    }
    return components.length === 0 ? [] : [`/${components.join("/")}`];
  });
  return [...new Set(roots)];
}

/**
 * Compiles a policy that cannot be used as written. It denies every skill in the namespaces that its selector
 * selects: never "no policy". An unreadable selector selects all namespaces; an unreadable mode is Enforce.
 */
export function invalidPolicy(object: KubernetesObject, index: number, why: string): Policy {
  const spec = isFields(object["spec"]) ? object["spec"] : {};
  const name = nameOf(object) ?? `unnamed-${index}`;
  const selector = readable(shape.namespaceSelector, spec["namespaceSelector"] ?? {}, {});
  return {
    name,
    tenant: readable(shape.tenant, spec["tenant"] ?? name, name),
    mode: readable(shape.mode, spec["mode"], "Enforce"),
    controllers: readable(shape.controllers, spec["controllers"], "Enforce"),
    appliesTo: (_namespace, labels) => selectorMatches(selector, labels),
    namespaceSelector: selector,
    skillRoots: salvagedRoots(spec["skillRoots"]),
    skills: [],
    noMatch: "Deny",
    publishers: [],
    minimum: {},
    card: () => [],
    revoked: () => [],
    immutability: {
      configMap: true,
      readOnlyMount: true,
      readOnlyRootFilesystem: true,
      privateProcesses: true,
    },
    recheck: readable(shape.recheck, spec["recheck"], "Binding"),
    unverifiable: () => "Deny",
    otherSignatures: "Deny",
    unsigned: { action: "Deny" },
    invalidReason: why,
  };
}
