import { beforeAll, describe, expect, it } from "vitest";
import { allExamples, examplesPath } from "../../scripts/generate/examples.ts";
import { nameOf } from "../../src/kubernetes/object.ts";
import { ownKinds } from "../../src/policy/resource/kinds.ts";
import { objectOf, publishers, resourceCases } from "../unit/policy/resource-cases.ts";
import { kubectl, tryKubectl } from "./harness/cluster.ts";

describe("the CRDs on an API server", () => {
  beforeAll(async () => {
    await kubectl(["apply", "--server-side", "-f", "manifests/crds"]);
    await kubectl(["wait", "--for=condition=Established", "--timeout=60s", "-f", "manifests/crds"]);
  });

  it("take and refuse exactly what the schema takes and refuses offline", async () => {
    const objects = resourceCases.map((one, index) => JSON.stringify(objectOf(one, index)));
    const { stdout } = await tryKubectl(["create", "--dry-run=server", "-f", "-"], objects.join("\n---\n"));
    const taken = new Set([...stdout.matchAll(/\/case-(\d+) created/g)].map(([, index]) => Number(index)));
    const differ = resourceCases.filter((one, index) => taken.has(index) !== (one.refused === undefined));
    expect(differ.map(({ kind, name }) => `${kind}: ${name}`)).toEqual([]);
  });

  it("take the examples of the reference pages", async () => {
    const files = ownKinds.flatMap((kind) => ["-f", examplesPath(kind)]);
    const examples = Object.entries(await allExamples()).flatMap(([kind, list]) =>
      list.map(({ object }) => `${kind.toLowerCase()}.skill-admission.dev/${nameOf(object)}`),
    );
    const taken = await kubectl(["create", "--dry-run=server", "--validate=strict", "-o", "name", ...files]);
    expect(taken.trim().split("\n").sort()).toEqual(examples.sort());
  });

  it("say what is wrong in the words of the rule", async () => {
    const index = resourceCases.findIndex(({ name }) => name === "a publisher with both");
    const { stderr } = await tryKubectl(
      ["create", "--dry-run=server", "-f", "-"],
      JSON.stringify(objectOf(resourceCases[index]!, index)),
    );
    expect(stderr).toContain("spec.publishers[0]: Invalid value");
    expect(stderr).toContain("give exactly one of certificate, publicKey, keyless and vett");
  });

  it.each([
    ["skillRoots", { skillRoots: ["opt/agent"] }, '"opt/agent" is no skill root: write a folder from /'],
    ["closed.data", { closed: { podSelector: {}, data: ["data"] } }, '"data" is no folder for data: write'],
    ["closed.data", { closed: { podSelector: {}, data: ["/root"] } }, '"/root" is a skill root or a home'],
    // What a line break would make of the message is left to the API server: it takes the message without a value.
    ["skillRoots", { skillRoots: ["/a\n"] }, "it is no skill root: write a folder from /"],
  ])("name the value that is no path, and show what is one: %s", async (field, spec, says) => {
    const object = objectOf({ kind: "ClusterSkillPolicy", name: "a path", spec: { publishers, ...spec } }, 0);
    const { stderr } = await tryKubectl(["create", "--dry-run=server", "-f", "-"], JSON.stringify(object));
    expect(stderr).toContain(`spec.${field}[0]: Invalid value`);
    expect(stderr).toContain(says);
    expect(stderr).not.toContain("should match");
  });

  it("explain every field of the spec", async () => {
    const text = await kubectl(["explain", "clusterskillpolicy.spec", "--recursive"]);
    for (const field of [
      "noMatch",
      "mitigationPerRisk",
      "readOnlyMount",
      "PersistentVolumeClaim",
      "trustRootRef",
    ]) {
      expect(text).toContain(field);
    }
    expect(await kubectl(["explain", "cskp.spec.unsigned.until"])).toContain(
      "When Warn ends and Deny begins",
    );
  });
});
