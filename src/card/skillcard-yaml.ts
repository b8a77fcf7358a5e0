import { z } from "zod";
import { skillLimits } from "../skill/limits.ts";
import { type Fields, isFields } from "../text/fields.ts";
import type { Json } from "../text/json.ts";
import { parseStrictYaml, YamlError } from "../text/yaml.ts";
import type { FaultList } from "./fault-list.ts";
import { readLicense } from "./license/license.ts";
import type { SkillCard } from "./skill-card.ts";

const text = z.string().trim().min(1, "is empty");

/** The members of `SKILLCARD.yaml` that the model keeps; others may be anything. */
const cardSchema = z.looseObject({
  schema_version: z.literal("1"),
  identity: z.looseObject({ name: text, version: text.optional() }),
  description: text.optional(),
  source: z.looseObject({ license: text.optional() }).optional(),
});

/** Recognizes the generator's placeholders for the signer, which real cards still hold. */
const isPlaceholder = (value: string): boolean => /^TBD\b/i.test(value);

function parse(source: string, faults: FaultList): Fields<Json> | undefined {
  try {
    const value = parseStrictYaml(source, { schema: "failsafe", maxBytes: skillLimits.cardBytes });
    for (const issue of cardSchema.safeParse(value).error?.issues ?? []) {
      const field = issue.path.map(String).join(".");
      if (field === "") faults.add(issue.message);
      else faults.add(issue.message, field);
    }
    return isFields(value) ? value : undefined;
  } catch (cause) {
    if (!(cause instanceof YamlError)) throw cause;
    faults.add(cause.message);
    return undefined;
  }
}

/**
 * Reads `SKILLCARD.yaml`, which some of NVIDIA's skills have beside `skill-card.md`. Values left to the signer
 * (`TBD-at-sign-time`) are absent.
 * @returns undefined if the text is no YAML mapping
 */
export function readSkillcardYaml(source: string, faults: FaultList): SkillCard | undefined {
  const members = parse(source, faults);
  if (members === undefined) return undefined;
  const part = (name: string): Fields<Json> => {
    const value = members[name];
    return isFields(value) ? value : {};
  };
  const value = (of: Fields<Json>, field: string): string | undefined => {
    const found = of[field];
    if (typeof found !== "string" || isPlaceholder(found.trim())) return undefined;
    return faults.bounded(found.trim(), field);
  };
  const plain = {
    name: value(part("identity"), "name"),
    version: value(part("identity"), "version"),
    description: value(members, "description"),
  };
  const license = value(part("source"), "license");
  return {
    format: "SKILLCARD.yaml",
    path: faults.path,
    ...(Object.fromEntries(Object.entries(plain).filter(([, each]) => each !== undefined)) as Pick<
      SkillCard,
      "name" | "version" | "description"
    >),
    ...(license === undefined ? {} : { license: readLicense(license) }),
    risks: [],
    limitations: [],
    permissions: [],
    dependencies: [],
    references: [],
  };
}
