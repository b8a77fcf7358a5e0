import { group, version } from "../../src/policy/resource/kinds.ts";
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
] as const;

function limitsOf(schema: StructuralSchema): readonly string[] {
  const list = schema["x-kubernetes-list-type"];
  return [
    ...bounds.flatMap(([name, word, unit]) => {
      const bound = schema[name];
      return bound === undefined
        ? []
        : [
            `${word} ${bound} ${bound === 1 ? unit.replace(/ies$|s$/, (end) => (end === "ies" ? "y" : "")) : unit}`,
          ];
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
}

function rowsOf(schema: StructuralSchema, path: string, required: boolean): readonly Row[] {
  const item = schema.items;
  const inner = item === undefined ? schema : item;
  const at = item === undefined ? path : `${path}[]`;
  const fields = Object.entries(inner.properties ?? {}).flatMap(([name, field]) =>
    rowsOf(field, `${at}.${name}`, inner.required?.includes(name) === true),
  );
  return [{ path, schema, required }, ...fields];
}

function rowText({ path, schema, required }: Row): string {
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
  return `| ${code(path)} | ${typeOf(schema)} | ${standard} | ${cell(text.join(" "))} |`;
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

/** The reference page of a resource, as Markdown. */
export function referencePage(resource: Resource): string {
  const { kind, plural, shortName } = resource;
  const spec = rowsOf(toStructural(resource.spec), "spec", true);
  const status = rowsOf(toStructural(resource.status), "status", false);
  const table = (rows: readonly Row[]): readonly string[] => [
    "| field | type | default | meaning |",
    "|---|---|---|---|",
    ...rows.slice(1).map(rowText),
    "",
  ];
  return [
    "<!-- Generated from src/policy/resource by `npm run generate`; changes here are lost. -->",
    "",
    `# ${kind}`,
    "",
    `\`${group}/${version}\`, cluster-scoped; \`kubectl get ${plural}\`, short \`${shortName}\`, category \`skill-admission\`.`,
    "",
    resource.description,
    "",
    "An unknown field is an error, here as in `kubectl apply`. A resource that the API server let through and that cannot be used all the same says so in",
    "its `Ready` condition; a policy that is not ready denies every skill in the namespaces it applies to.",
    "",
    "```yaml",
    resource.example.trimEnd(),
    "```",
    "",
    "## Spec",
    "",
    ...table(spec),
    ...rulesOf(spec),
    "## Status",
    "",
    ...table(status),
  ].join("\n");
}
