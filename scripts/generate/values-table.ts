/** The part of JSON Schema that the chart's values schema uses. */
export interface ValueSchema {
  readonly type?: string;
  readonly description?: string;
  readonly enum?: readonly string[];
  readonly anyOf?: readonly ValueSchema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, ValueSchema>>;
  readonly required?: readonly string[];
  readonly items?: ValueSchema;
  readonly additionalProperties?: boolean | ValueSchema;
}

export interface ValueRow {
  /** Path as in `helm --set`: `image.tag`. */
  readonly path: string;
  readonly schema: ValueSchema;
  readonly default: unknown;
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** True for a group of values: an object whose fields are described, some of them with a default. */
const isGroup = (schema: ValueSchema, value: unknown): boolean =>
  schema.properties !== undefined && isRecord(value) && Object.keys(value).length > 0;

/** One row for each value with a default in `values.yaml`, in its order. */
export function valueRows(schema: ValueSchema, values: unknown, prefix = ""): readonly ValueRow[] {
  return Object.entries(isRecord(values) ? values : {}).flatMap(([key, value]): readonly ValueRow[] => {
    const path = `${prefix}${key}`;
    const own = schema.properties?.[key];
    if (own === undefined) throw new Error(`values.yaml: ${path} is not in values.schema.json`);
    return isGroup(own, value) ? valueRows(own, value, `${path}.`) : [{ path, schema: own, default: value }];
  });
}

const code = (text: string): string => `\`${text.replaceAll("|", "\\|")}\``;

function typeOf({
  type,
  enum: words,
  anyOf,
  minimum,
  maximum,
  items,
  additionalProperties,
}: ValueSchema): string {
  if (words !== undefined) return words.map(code).join(", ");
  if (anyOf !== undefined) return anyOf.map(typeOf).join(" or ");
  if (type === "integer" && minimum !== undefined && maximum !== undefined) return `${minimum} to ${maximum}`;
  if (type === "array") return `list of ${items === undefined ? "anything" : typeOf(items)}`;
  if (type === "object" && typeof additionalProperties === "object") return "map of string";
  return type ?? "anything";
}

/** Markdown table of values for the chart's README. */
export function valuesTable(schema: ValueSchema, values: unknown): string {
  const rows = valueRows(schema, values).map(
    ({ path, schema: own, default: value }) =>
      `| ${code(path)} | ${typeOf(own)} | ${code(JSON.stringify(value))} | ${(own.description ?? "").replaceAll("|", "\\|")} |`,
  );
  return ["| value | type | default | |", "|---|---|---|---|", ...rows].join("\n");
}
