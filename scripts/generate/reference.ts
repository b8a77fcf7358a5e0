import { group, version } from "../../src/policy/resource/kinds.ts";
import { ExampleError, examplesPath, type JudgedExample } from "./examples.ts";
import { inlineYaml } from "./inline-yaml.ts";
import type { Resource } from "./resources.ts";
import { toStructural, type StructuralSchema } from "./structural-schema.ts";

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");
const code = (text: string): string => `\`${cell(text)}\``;

function typeOf(schema: StructuralSchema): string {
  if (schema.enum !== undefined) return schema.enum.map(code).join(", ");
  if (schema.type === "array")
    return `list of ${schema.items === undefined ? "values" : typeOf(schema.items)}`;
  if (schema.additionalProperties !== undefined) return `map of ${typeOf(schema.additionalProperties)}`;
  if (schema.format === "date-time") return "date-time (RFC 3339)";
  return schema.type ?? "any";
}

const bounds = [
  ["minLength", "at least", "characters"],
  ["maxLength", "at most", "characters"],
  ["minItems", "at least", "entries"],
  ["maxItems", "at most", "entries"],
  ["minProperties", "at least", "members"],
  ["maxProperties", "at most", "members"],
  ["minimum", "at least", ""],
  ["maximum", "at most", ""],
] as const;

const singular = (unit: string): string => unit.replace(/ies$|s$/, (end) => (end === "ies" ? "y" : ""));

function limitsOf(schema: StructuralSchema): readonly string[] {
  const list = schema["x-kubernetes-list-type"];
  return [
    ...bounds.flatMap(([name, word, unit]) => {
      const bound = schema[name];
      // The largest integer stands at every one that has no maximum of its own.
      if (bound === undefined || bound === Number.MAX_SAFE_INTEGER) return [];
      return [`${word} ${bound} ${bound === 1 ? singular(unit) : unit}`.trimEnd()];
    }),
    ...(list === "map" ? ["names differ"] : list === "set" ? ["entries differ"] : []),
    // A calendar pattern tells a reader less than the format. The table cell escapes the pattern already: a second
    // escape would let a pipe end the cell.
    ...(schema.pattern === undefined || schema.format !== undefined ? [] : [`\`${schema.pattern}\``]),
  ];
}

interface Row {
  readonly path: string;
  readonly schema: StructuralSchema;
  readonly required: boolean;
  /** The field's values in the examples. */
  readonly values: readonly unknown[];
}

const memberOf = (value: unknown, name: string): readonly unknown[] => {
  const member = (value as Readonly<Record<string, unknown>>)[name];
  return member === undefined ? [] : [member];
};

function rowsOf(row: Row): readonly Row[] {
  const { path, schema, values } = row;
  const item = schema.items;
  const inner = item ?? schema;
  const [at, entries] = item === undefined ? [path, values] : [`${path}[]`, values.flat()];
  const fields = Object.entries(inner.properties ?? {}).flatMap(([name, field]) =>
    rowsOf({
      path: `${at}.${name}`,
      schema: field,
      required: inner.required?.includes(name) === true,
      values: entries.flatMap((entry) => memberOf(entry, name)),
    }),
  );
  return [row, ...fields];
}

function rowText({ path, schema, required, values }: Row): string {
  const preset = schema.default;
  const standard = required
    ? "required"
    : preset === undefined
      ? ""
      : code(typeof preset === "string" ? preset : JSON.stringify(preset));
  const limits = [
    ...limitsOf(schema),
    ...(schema.items === undefined ? [] : limitsOf(schema.items).map((text) => `each: ${text}`)),
  ];
  const text = [schema.description ?? "", limits.length === 0 ? "" : `(${limits.join("; ")})`].filter(
    (part) => part !== "",
  );
  return `| ${code(path)} | ${typeOf(schema)} | ${standard} | ${code(inlineYaml(values[0]))} | ${cell(text.join(" "))} |`;
}

function rulesOf(rows: readonly Row[]): readonly string[] {
  const lines = rows.flatMap(({ path, schema }) =>
    [
      { at: path, rules: schema["x-kubernetes-validations"] ?? [] },
      { at: `${path}[]`, rules: schema.items?.["x-kubernetes-validations"] ?? [] },
    ].flatMap(({ at, rules }) =>
      rules.map(({ rule, message }) => `| ${code(at)} | ${cell(message)} | ${code(rule)} |`),
    ),
  );
  return lines.length === 0 ? [] : ["## Rules", "", "| field | rule | CEL |", "|---|---|---|", ...lines, ""];
}

/** @throws ExampleError naming the fields that are in no example */
function tableOf({ kind }: Resource, rows: readonly Row[]): readonly string[] {
  const without = rows.filter(({ values }) => values.length === 0).map(({ path }) => path);
  if (without.length > 0)
    throw new ExampleError(
      `no example has ${without.join(", ")}; add what is missing to ${examplesPath(kind)}`,
    );
  return [
    "| field | type | default | example | meaning |",
    "|---|---|---|---|---|",
    ...rows.map(rowText),
    "",
  ];
}

const block = ({ text }: JudgedExample): readonly string[] => ["```yaml", text.trimEnd(), "```", ""];

function introduction(
  { kind, plural, shortName, description }: Resource,
  [first, ...others]: readonly JudgedExample[],
): readonly string[] {
  const file = examplesPath(kind);
  return [
    "<!-- Generated from src/policy/resource and examples/reference by `npm run generate`; changes here are lost. -->",
    "",
    `# ${kind}`,
    "",
    `\`${group}/${version}\`, cluster-scoped; \`kubectl get ${plural}\`, short \`${shortName}\`, category \`skill-admission\`.`,
    "",
    description,
    "",
    "An unknown field is an error, here as in `kubectl apply`. A resource that the API server let through and that cannot be used all the same says so in",
    "its `Ready` condition; a policy that is not ready denies every skill in the namespaces it applies to.",
    "",
    ...(first === undefined ? [] : [`${first.title}:`, "", ...block(first)]),
    `The tables show each field as it is in an example of [${file}](../../${file}); \`…\` stands for what is left out.`,
    ...(others.length === 0 ? [] : ["The other examples are [below](#more-examples)."]),
    "`skill-admission apply --policy examples/reference --resource pod.yaml` judges a pod by the examples of all kinds.",
    "",
  ];
}

/**
 * The reference page of a resource, as Markdown: each field with its value in the first example that has it.
 * @throws ExampleError naming the fields that are in no example
 */
export function referencePage(resource: Resource, examples: readonly JudgedExample[]): string {
  const rowsIn = (path: "spec" | "status", values: readonly unknown[]): readonly Row[] =>
    rowsOf({ path, schema: toStructural(resource[path]), required: true, values });
  const specs = examples.map(({ object }) => object["spec"]);
  const statuses = examples.map(({ status }) => status);
  const [spec, status] = [rowsIn("spec", specs), rowsIn("status", statuses)];
  const others = examples.slice(1);
  return [
    ...introduction(resource, examples),
    "## Spec",
    "",
    ...tableOf(resource, spec.slice(1)),
    ...rulesOf(spec),
    "## Status",
    "",
    "As the controller writes it for the examples.",
    "",
    ...tableOf(resource, status.slice(1)),
    ...(others.length === 0 ? [] : ["## More examples", ""]),
    ...others.flatMap((example) => [`### ${example.title}`, "", ...block(example)]),
  ].join("\n");
}
