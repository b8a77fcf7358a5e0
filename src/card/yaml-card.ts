import { skillLimits } from "../skill/limits.ts";
import { defined, type Fields, isFields } from "../text/fields.ts";
import { z } from "zod";
import type { Json } from "../text/json.ts";
import { parseStrictYaml, YamlError } from "../text/yaml.ts";
import type { FaultList } from "./fault-list.ts";
import { readLicense } from "./license/license.ts";
import type { CardRisk, SkillCard } from "./skill-card.ts";

const text = z.string().trim().min(1, "is empty");

/** Schema of `skill_card.yaml`: every required member must be there and not be empty, `risks` included. */
const cardSchema = z.strictObject({
  schema_version: text,
  name: text,
  version: text,
  author: text,
  license: text,
  intent: text,
  description: z.string().optional(),
  inputs: z
    .array(z.strictObject({ name: text, type: z.string().optional(), constraint: z.string().optional() }))
    .optional(),
  dependencies: z.array(text).optional(),
  permissions: z.array(text).min(1, "is empty: a skill that needs nothing says so in an entry"),
  risks: z
    .array(z.strictObject({ id: text.optional(), description: text, mitigation: text }))
    .min(1, "is empty: a skill without risks is not believed"),
  limitations: z.array(text).optional(),
});

const strings = (value: Json | undefined): readonly string[] =>
  Array.isArray(value)
    ? (value as readonly Json[])
        .filter((item) => typeof item === "string")
        .map((item) => item.trim())
        .filter((item) => item !== "")
    : [];

/** Counts every entry as a risk, even one that breaks the schema: a risk must not vanish by being misspelt. */
function readRisks(value: Json | undefined, faults: FaultList): readonly CardRisk[] {
  const entries: readonly Json[] = Array.isArray(value) ? (value as readonly Json[]).slice(0, 1_000) : [];
  return entries.map((entry) => {
    const members = isFields(entry) ? entry : {};
    const member = (name: string): string | undefined => {
      const found = members[name];
      return typeof found === "string" ? faults.bounded(found.trim(), "risks") : undefined;
    };
    const [id, mitigation] = [member("id"), member("mitigation")];
    return {
      ...defined({ id }),
      text: member("description") ?? "",
      ...defined({ mitigation }),
    };
  });
}

function check(value: Json, faults: FaultList): void {
  const risks = isFields(value) ? value["risks"] : undefined;
  if (Array.isArray(risks) && risks.length > 1_000) faults.add("more than 1000 risks", "risks");
  const result = cardSchema.safeParse(value);
  for (const issue of result.error?.issues ?? []) {
    const field = issue.path.map(String).join(".");
    if (field === "") faults.add(issue.message);
    else faults.add(issue.message, field);
  }
}

function parse(source: string, faults: FaultList): Fields<Json> | undefined {
  try {
    const value = parseStrictYaml(source, { schema: "failsafe", maxBytes: skillLimits.cardBytes });
    check(value, faults);
    return isFields(value) ? value : undefined;
  } catch (cause) {
    if (!(cause instanceof YamlError)) throw cause;
    faults.add(cause.message);
    return undefined;
  }
}

/**
 * Reads `skill_card.yaml`. Every departure from its schema is a fault, and the readable rest is read all the same.
 * @returns undefined if the text is no YAML mapping
 */
export function readYamlCard(source: string, faults: FaultList): SkillCard | undefined {
  const members = parse(source, faults);
  if (members === undefined) return undefined;
  const named: Partial<Record<"name" | "version" | "description" | "intent" | "owner" | "license", string>> =
    {};
  const sources = { name: "name", version: "version", description: "description", intent: "intent" } as const;
  for (const [field, member] of Object.entries({
    ...sources,
    owner: "author",
    license: "license",
  } as const)) {
    const value = members[member];
    if (typeof value === "string") named[field as keyof typeof named] = faults.bounded(value.trim(), member);
  }
  const { license, ...rest } = named;
  return {
    format: "skill_card.yaml",
    path: faults.path,
    ...rest,
    ...(license === undefined ? {} : { license: readLicense(license) }),
    risks: readRisks(members["risks"], faults),
    limitations: faults.boundedList(strings(members["limitations"]), "limitations"),
    permissions: faults.boundedList(strings(members["permissions"]), "permissions", 512),
    dependencies: faults.boundedList(strings(members["dependencies"]), "dependencies"),
    references: [],
  };
}
