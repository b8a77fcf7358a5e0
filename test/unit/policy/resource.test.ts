import { describe, expect, it } from "vitest";
import { PolicyError } from "../../../src/policy/policy-error.ts";
import { closedSection } from "../../../src/policy/resource/closed.ts";
import { clusterSkillPolicySpec } from "../../../src/policy/resource/cluster-skill-policy.ts";
import { parseResource } from "../../../src/policy/resource/parse.ts";
import { ancestorsOf } from "../../../src/workload/pod/container-path.ts";
import { agents } from "../../../src/workload/roots/agents.ts";
import { absoluteAgentRoots } from "../../../src/workload/roots/moved-roots.ts";
import type { KubernetesObject } from "../../../src/kubernetes/object.ts";
import { objectOf, publishers, resourceCases, type ResourceCase } from "./resource-cases.ts";

function faultOf(kind: ResourceCase["kind"], object: KubernetesObject): string | undefined {
  try {
    parseResource(kind, object);
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(PolicyError);
    expect((error as PolicyError).code).toBe("Invalid");
    return (error as PolicyError).message;
  }
}

describe("parse", () => {
  it.each(resourceCases.filter(({ refused }) => refused === undefined))("takes $kind: $name", (one) => {
    expect(faultOf(one.kind, objectOf(one, 0))).toBeUndefined();
  });

  it.each(resourceCases.filter(({ refused }) => refused !== undefined))("refuses $kind: $name", (one) => {
    expect(faultOf(one.kind, objectOf(one, 0))).toMatch(one.refused!);
  });

  it("refuses another apiVersion and another kind", () => {
    const [one] = resourceCases;
    expect(
      faultOf("ClusterSkillPolicy", { ...objectOf(one!, 0), apiVersion: "skill-admission.dev/v2" }),
    ).toMatch(/apiVersion/);
    expect(faultOf("ClusterSkillPolicy", { ...objectOf(one!, 0), kind: "SkillPolicy" })).toMatch(/kind/);
  });

  it("refuses a name that no object can have", () => {
    for (const metadata of [undefined, null, {}, { name: "" }, { name: "A" }, { name: 7 }]) {
      expect(faultOf("ClusterSkillPolicy", { ...objectOf(resourceCases[0]!, 0), metadata })).toMatch(
        /metadata/,
      );
    }
  });

  it("refuses fields beside spec, and takes what the API server adds", () => {
    const object = objectOf(resourceCases[0]!, 0);
    expect(faultOf("ClusterSkillPolicy", { ...object, specs: {} })).toMatch(/specs/);
    const stored = {
      ...object,
      metadata: { name: "a", uid: "1", generation: 2 },
      status: { conditions: [] },
    };
    expect(faultOf("ClusterSkillPolicy", stored)).toBeUndefined();
  });

  it("tells every problem at once, and counts those beyond", () => {
    const spec = { mode: "x", tenant: "X", controllers: "x", noMatch: "x", publishers: [] };
    const text = faultOf("ClusterSkillPolicy", { metadata: { name: "a" }, spec });
    for (const field of ["mode", "tenant", "controllers", "noMatch", "publishers"]) {
      expect(text).toContain(`spec.${field}`);
    }
    const roots = Array.from({ length: 20 }, (_, index) => `relative/${index}`);
    expect(
      faultOf("ClusterSkillPolicy", { metadata: { name: "a" }, spec: { publishers, skillRoots: roots } }),
    ).toMatch(/and 12 more$/);
  });

  it.each<[string, object, string]>([
    ["a missing field", {}, "spec.publishers: is required"],
    ["another value", { publishers, mode: "enforce" }, "spec.mode: must be one of Enforce, Warn, Audit"],
    ["another type", { publishers, card: "yes" }, "spec.card: must be of type object"],
    [
      "a root, by its value",
      { publishers, skillRoots: ["/a", "opt/agent"] },
      'spec.skillRoots[1]: "opt/agent" is no skill root: write a folder from / (/opt/agent/skills) or from a dot folder (.acme/skills), in ASCII, without empty, . or .. parts and a slash at the end',
    ],
    [
      "a folder for data, by its value",
      { publishers, closed: { podSelector: {}, data: ["/data/"] } },
      'spec.closed.data[0]: "/data/" is no folder for data: write it from / (/data), in ASCII, with no empty parts, no dot folders but .cache, and no slash at the end',
    ],
    [
      "a folder for data that is a home, by its value",
      { publishers, closed: { podSelector: {}, data: ["/root"] } },
      'spec.closed.data[0]: "/root" is a skill root or a home, or lies above one, where a mount could bring in skills: name a folder elsewhere, such as /data',
    ],
    [
      "an unknown field",
      { publishers, immutability: { configmap: "Required" } },
      "spec.immutability.configmap: there is no such field",
    ],
    [
      "a missing one of a few values",
      { publishers, namespaceSelector: { matchExpressions: [{ key: "tenant" }] } },
      "spec.namespaceSelector.matchExpressions[0].operator: is required",
    ],
    ["an empty list", { publishers: [] }, "spec.publishers: must have at least 1 entry"],
    ["a long text", { publishers, tenant: "a".repeat(64) }, "spec.tenant: must have at most 63 characters"],
    [
      "a day that is none",
      { publishers, unsigned: { action: "Warn", until: "soon" } },
      "spec.unsigned.until: must be a date and time such as 2027-01-31T00:00:00Z",
    ],
  ])("says of %s what it must be", (_what, spec, text) => {
    expect(faultOf("ClusterSkillPolicy", { metadata: { name: "a" }, spec })).toBe(text);
  });

  it.each([
    [99, "must be at most 4"],
    [-1, "must be at least 0"],
    [0.5, "must be of type int"],
  ])("says of the number %d what it must be", (tlogThreshold, words) => {
    const spec = { sigstore: [{ name: "a", instance: "PublicGood", tlogThreshold }] };
    expect(faultOf("SkillTrustRoot", { metadata: { name: "a" }, spec })).toBe(
      `spec.sigstore[0].tlogThreshold: ${words}`,
    );
  });

  it("lets no key of a stranger write to a terminal", () => {
    const spec = { publishers, "\u001b[31mred\n\u202e": 1, ["long".repeat(1_000)]: 2 };
    const text = faultOf("ClusterSkillPolicy", { metadata: { name: "a" }, spec });
    expect(text).toContain(String.raw`\u001b[31mred\u000a\u202e`);
    expect(text?.length).toBeLessThan(500);
  });

  it("fills in the defaults that are documented", () => {
    expect(clusterSkillPolicySpec.parse({ publishers })).toEqual({
      mode: "Enforce",
      publishers,
      noMatch: "Deny",
      otherSignatures: "Deny",
      controllers: "Warn",
      immutability: {
        configMap: "NotRequired",
        readOnlyMount: "NotRequired",
        readOnlyRootFilesystem: "NotRequired",
        processNamespace: "Any",
      },
      recheck: "Watch",
      unverifiable: { default: "Deny" },
      unsigned: { action: "Deny" },
    });
  });
});

describe("closed.data", () => {
  const refuses = (folder: string): boolean =>
    !closedSection.safeParse({ podSelector: {}, data: [folder] }).success;

  it("is no folder of the agents' table, nor above or below one, whatever the table holds", () => {
    const absolute = absoluteAgentRoots.flatMap(({ path }) => [path, `${path}/x`, ...ancestorsOf(path)]);
    const relative = agents.flatMap(({ folders = [], roots = [] }) =>
      [...folders, ...roots.filter((root) => !root.startsWith("/"))].flatMap((folder) => [
        `/data/${folder}`,
        `/data/${folder}/x`,
      ]),
    );
    expect([...absolute, ...relative].filter((folder) => !refuses(folder))).toEqual([]);
    expect(["/data", "/data/x", "/var/lib/app", "/mnt/models"].filter(refuses)).toEqual([]);
  });
});
