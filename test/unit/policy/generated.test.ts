import { glob, readFile } from "node:fs/promises";
import { join, matchesGlob } from "node:path";
import { parse } from "yaml";
import { describe, expect, it } from "vitest";
import { generatedFiles } from "../../../scripts/generate-crds.ts";
import { generatedFiles as observabilityFiles } from "../../../scripts/generate-observability.ts";

const root = join(import.meta.dirname, "../../..");

interface Schema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly type?: string;
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly enum?: readonly unknown[];
  readonly additionalProperties?: unknown;
}

function* fields(schema: Schema, path: string): Generator<readonly [string, Schema]> {
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    yield [`${path}.${name}`, field];
    yield* fields(field, `${path}.${name}`);
  }
  if (schema.items !== undefined) yield* fields(schema.items, `${path}[]`);
}

interface Crd {
  readonly spec: {
    readonly versions: readonly [
      {
        readonly schema: {
          readonly openAPIV3Schema: { readonly properties: Readonly<Record<string, Schema>> };
        };
      },
    ];
  };
}

describe("the generated files", () => {
  it("are as they are generated now; otherwise run npm run generate", async () => {
    for (const [path, text] of [...(await generatedFiles()), ...(await observabilityFiles())]) {
      expect(await readFile(join(root, path), "utf8"), path).toBe(text);
    }
  });

  it("are marked as generated in .gitattributes, and nothing else is", async () => {
    const attributes = await readFile(join(root, ".gitattributes"), "utf8");
    const marked = [...attributes.matchAll(/^([^#\s]+) linguist-generated$/gm)].map(
      ([, pattern = ""]) => pattern,
    );
    const saying: string[] = [];
    for await (const path of glob("{charts,docs,manifests}/**/*.{md,yaml}", { cwd: root })) {
      const [line = ""] = (await readFile(join(root, path), "utf8")).split("\n", 1);
      if (line.includes("changes here are lost")) saying.push(path);
    }
    const generated = [...saying, ...(await generatedFiles()).keys(), ...(await observabilityFiles()).keys()];
    expect(saying.length).toBeGreaterThan(10);
    expect(generated.filter((path) => !marked.some((pattern) => matchesGlob(path, pattern)))).toEqual([]);
    expect(marked.filter((pattern) => !generated.some((path) => matchesGlob(path, pattern)))).toEqual([]);
  });

  it("describe every field, and bound everything that a user writes", async () => {
    let seen = 0;
    for (const [path, text] of await generatedFiles()) {
      if (!path.endsWith(".yaml")) continue;
      const { properties } = (parse(text) as Crd).spec.versions[0].schema.openAPIV3Schema;
      for (const [field, schema] of fields(properties["spec"]!, "spec")) {
        seen += 1;
        const at = `${path}: ${field}`;
        expect(schema.description, `${at}: describe it in a sentence`).toMatch(/\.$/);
        const bounded = (bound: number | undefined): void =>
          expect(bound ?? 0, `${at}: bound it, by .max(…), atMost or an enum`).toBeGreaterThan(0);
        if (schema.type === "array") bounded(schema.maxItems ?? schema.items?.enum?.length);
        if (schema.type === "string") bounded(schema.maxLength ?? schema.enum?.length);
        if (schema.additionalProperties !== undefined) bounded(schema.maxProperties);
      }
    }
    expect(seen, "fields of all kinds").toBeGreaterThan(200);
  });
});
