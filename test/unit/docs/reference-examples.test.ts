import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import {
  allExamples,
  examplesText,
  examplesPath,
  judgeExamples,
  readExamples,
  type Example,
} from "../../../scripts/generate/examples.ts";
import { root } from "../../../scripts/generate/files.ts";
import { referencePage } from "../../../scripts/generate/reference.ts";
import { resources } from "../../../scripts/generate/resources.ts";
import type { KubernetesObject } from "../../../src/kubernetes/object.ts";
import { parseResource } from "../../../src/policy/resource/parse.ts";
import { edited, type Edit } from "../../fixtures/edited.ts";

const examples = await allExamples();
const judged = judgeExamples(examples);

/** The values of a field, such as `spec.keys[].name`, in an object. */
const valuesAt = (object: unknown, path: string): readonly unknown[] =>
  path.split(".").reduce<readonly unknown[]>(
    (values, part) => {
      const members = values.map(
        (value) => (value as Record<string, unknown> | undefined)?.[part.replace("[]", "")],
      );
      return part.endsWith("[]") ? members.flat() : members;
    },
    [object],
  );

/** The rows of the tables of fields: path, and the value in the column `example`. */
const shownOn = (page: string): readonly (readonly [path: string, value: string])[] =>
  page
    .split("\n")
    .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|")))
    .flatMap(([, path = "", , , value = "", meaning]) =>
      /^`(?:spec|status)\./.test(path) && meaning !== undefined && meaning !== ""
        ? [[path.slice(1, -1), value] as const]
        : [],
    );

const changed = (example: Example, edits: Readonly<Record<string, Edit>>): Example => ({
  ...example,
  object: edited(example.object, edits) as KubernetesObject,
});

describe.each(resources)("the examples of $kind", (resource) => {
  const { kind } = resource;

  it("are read by the product as they stand in the file, under names of their own", async () => {
    const documents = parseAllDocuments(await readFile(join(root, examplesPath(kind)), "utf8"));
    const names = documents.map((one) => {
      const object = one.toJS() as KubernetesObject;
      expect(object["kind"]).toBe(kind);
      return parseResource(kind, object).name;
    });
    expect(names).toHaveLength(examples[kind].length);
    expect(new Set(names).size).toBe(names.length);
  });

  it("are on the page, whole", () => {
    const page = referencePage(resource, judged[kind]);
    for (const { title, text } of examples[kind]) {
      expect(page).toContain(title);
      expect(page).toContain(`\`\`\`yaml\n${text.trimEnd()}\n\`\`\`\n`);
    }
  });

  it("have the value that the page shows beside each field", () => {
    const shown = shownOn(referencePage(resource, judged[kind]));
    const objects = judged[kind].map(({ object, status }) => ({ ...object, status }));
    for (const [path, value] of shown) {
      expect(value, `${kind}: ${path}`).toMatch(/^`.{1,105}`$/);
      const read: unknown = parse(value.slice(1, -1), { version: "1.1" });
      const values = objects.flatMap((object) => valuesAt(object, path));
      if (value.includes("…")) expect(values.length, `${kind}: ${path}`).toBeGreaterThan(0);
      else expect(values, `${kind}: ${path}`).toContainEqual(read);
    }
  });
});

describe("a reference page", () => {
  it("has rows of fields, which the tests above go through", () => {
    const shown = resources.map((resource) => shownOn(referencePage(resource, judged[resource.kind])));
    expect(shown.flat().length, "rows of all kinds").toBeGreaterThan(150);
    for (const [at, { kind }] of resources.entries()) expect(shown[at], kind).not.toEqual([]);
  });

  const [policies] = resources;
  const [payments] = examples.ClusterSkillPolicy;

  it("shows the limits of numbers, but not the largest integer, which every one has", () => {
    const [, roots] = resources;
    const page = referencePage(roots!, judged.SkillTrustRoot);
    const row = page.split("\n").find((line) => line.includes("`spec.sigstore[].timestampThreshold`"));
    expect(row).toMatch(/ \(at least 1; at most 4\) \|$/);
    expect(page).not.toContain(String(Number.MAX_SAFE_INTEGER));
  });

  it("is not made while a field is in no example", () => {
    const others = judged.ClusterSkillPolicy.slice(1);
    const without = { ...judged.ClusterSkillPolicy[0]!, ...changed(payments!, { "spec.tenant": undefined }) };
    expect(() => referencePage(policies!, [without, ...others])).toThrow(
      "no example has spec.tenant; add what is missing to examples/reference/clusterskillpolicy.yaml",
    );
  });

  it("is not made of an example that would not be ready", () => {
    const broken = changed(payments!, { "spec.publishers.0.certificate.trustRootRef.name": "missing" });
    expect(() => judgeExamples({ ...examples, ClusterSkillPolicy: [broken] })).toThrow(
      /^examples that would not be ready: ClusterSkillPolicy payments: .*missing.*; correct them$/,
    );
  });

  it("is not made where a kind has no file of examples", async () => {
    await expect(examplesText("SkillTrustRoot", "/nowhere")).rejects.toThrow(
      /^examples\/reference\/skilltrustroot\.yaml cannot be read; write whole examples of a SkillTrustRoot there/,
    );
  });

  it("is not made of an example without a title", () => {
    const text = "apiVersion: v1\n";
    expect(readExamples(`# One\n${text}---\n# Two\n${text}`).map(({ title }) => title)).toEqual([
      "One",
      "Two",
    ]);
    expect(() => readExamples(`# One\n${text}---\n${text}`)).toThrow(/an example begins with "apiVersion/);
  });
});
