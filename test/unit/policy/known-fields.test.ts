import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import { beforeAll, describe, expect, it } from "vitest";
import { fieldPaths, unservedFields } from "../../../src/policy/resource/known-fields.ts";
import { ownKinds, ownResources, type OwnKind } from "../../../src/policy/resource/kinds.ts";

interface Schema {
  properties: Record<string, Schema>;
  items?: Schema;
  additionalProperties?: Schema;
  "x-kubernetes-preserve-unknown-fields"?: true;
}
interface Definition {
  readonly metadata: { readonly annotations: Readonly<Record<string, string>> };
  readonly spec: { versions: { name: string; served: boolean; schema: { openAPIV3Schema: Schema } }[] };
}

const definitions = new Map<OwnKind, string>();
beforeAll(async () => {
  for (const kind of ownKinds) {
    const path = `manifests/crds/skill-admission.dev_${ownResources[kind].plural}.yaml`;
    definitions.set(kind, await readFile(path, "utf8"));
  }
});

/** The CustomResourceDefinition of a kind, changed. */
function changed(kind: OwnKind, change: (spec: Schema, whole: Definition) => void = () => undefined) {
  const definition = parse(definitions.get(kind)!) as Definition;
  change(definition.spec.versions[0]!.schema.openAPIV3Schema.properties["spec"]!, definition);
  return unservedFields(kind, definition as never);
}

describe("unservedFields", () => {
  it.each(ownKinds)("has nothing to say of the definitions of this version: %s", (kind) => {
    expect(changed(kind)).toEqual([]);
  });

  it("names a field that is missing, not those below it", () => {
    expect(changed("ClusterSkillPolicy", ({ properties }) => delete properties["closed"])).toEqual([
      "spec.closed",
    ]);
  });

  it("names one in the items of a list", () => {
    expect(
      changed(
        "ClusterSkillPolicy",
        ({ properties }) => delete properties["publishers"]!.items!.properties["keyless"],
      ),
    ).toEqual(["spec.publishers.keyless"]);
  });

  it("minds no field that only a newer version knows", () => {
    const more = ({ properties }: Schema) => (properties["later"] = { properties: {} });
    expect(changed("SkillTrustRoot", more)).toEqual([]);
  });

  it("misses nothing where unknown fields are kept", () => {
    const open = (spec: Schema) => {
      spec.properties = {};
      spec["x-kubernetes-preserve-unknown-fields"] = true;
    };
    expect(changed("SkillTrustRoot", open)).toEqual([]);
  });

  it("misses everything where the version is not served", () => {
    const stop = (_: Schema, { spec }: Definition) => (spec.versions[0]!.served = false);
    expect(changed("SkillRevocationList", stop)).toContain("spec.keys");
    expect(unservedFields("SkillRevocationList", {})).toContain("spec.keys");
  });
});

describe("the annotation of a CustomResourceDefinition", () => {
  it.each(ownKinds)("has every field of the schema, by which one with fewer is known: %s", (kind) => {
    const { metadata, spec } = parse(definitions.get(kind)!) as Definition;
    const schema = spec.versions[0]!.schema.openAPIV3Schema.properties["spec"];
    const names = metadata.annotations["skill-admission.dev/fields"]!.split(" ");
    expect(names).toEqual(fieldPaths(schema, "spec"));
    expect(names.length).toBeGreaterThan(10);
  });
});
