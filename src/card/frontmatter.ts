import { defined, type Fields, isFields } from "../text/fields.ts";
import type { Json } from "../text/json.ts";
import { skillLimits } from "../skill/limits.ts";
import { skillFilePath } from "../skill/skill-file.ts";
import type { Skill } from "../skill/skill.ts";
import { parseStrictYaml, YamlError } from "../text/yaml.ts";
import { FaultList } from "./fault-list.ts";
import { flattenPermissions, permissionLimits } from "./permission.ts";
import type { CardFault, SkillFrontmatter } from "./skill-card.ts";
import { hasControl, readCardText } from "./text.ts";

/** SKILL.md's frontmatter, with every violation of the rules of agentskills.io. */
export interface FrontmatterReading {
  readonly frontmatter?: SkillFrontmatter;
  readonly faults: readonly CardFault[];
}

/** The lines between `---` and `---`, behind an empty line: the YAML reader's line numbers are then those of the file. */
function cut(text: string, faults: FaultList): string | undefined {
  const opening = /^---[ \t]*(?:\n|$)/.exec(text)?.[0];
  if (opening === undefined) {
    faults.add('the first line is not "---": there is no frontmatter; begin the file with it');
    return undefined;
  }
  const closing = /^---[ \t]*$/m.exec(text.slice(opening.length));
  if (closing === null) {
    faults.add('the frontmatter is never closed; end it with a line "---"');
    return undefined;
  }
  return `\n${text.slice(opening.length, opening.length + closing.index)}`;
}

function parse(source: string, faults: FaultList): Fields<Json> | undefined {
  try {
    const value = parseStrictYaml(source, { schema: "failsafe", maxBytes: skillLimits.frontmatterBytes });
    if (isFields(value)) return value;
    faults.add("the frontmatter is not a YAML mapping");
  } catch (cause) {
    if (!(cause instanceof YamlError)) throw cause;
    faults.add(`the frontmatter cannot be read: ${cause.message}`);
  }
  return undefined;
}

/** An optional member that must be text of at most `limit` characters (code points). */
function textOf(members: Fields<Json>, field: string, faults: FaultList, limit: number): string | undefined {
  const value = members[field];
  if (value === undefined) return undefined;
  if (typeof value !== "string") {
    faults.add("is not text", field);
    return undefined;
  }
  const trimmed = value.trim();
  if (trimmed.length > limit && Array.from(trimmed).length > limit) {
    faults.add(`is longer than ${limit} characters; shorten it`, field);
  }
  return trimmed;
}

function checkName(name: string | undefined, folder: string, faults: FaultList): void {
  if (name === undefined) return;
  if (!/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(name)) {
    faults.add("must be of a-z, 0-9 and single hyphens between them", "name");
  }
  if (name !== folder) {
    const [written, found] = [name, folder].map((each) => JSON.stringify(each.slice(0, 64)));
    faults.add(`${written ?? ""} is not the folder's name ${found ?? ""}; rename one of them`, "name");
  }
}

function required(value: string | undefined, members: Fields<Json>, field: string, faults: FaultList): void {
  if (members[field] === undefined) faults.add("is missing", field);
  else if (value === "") faults.add("is empty", field);
}

function toFrontmatter(
  members: Fields<Json>,
  { path, folder }: { readonly path: string; readonly folder: string },
  faults: FaultList,
): SkillFrontmatter {
  const text = (field: string, limit: number): string | undefined => textOf(members, field, faults, limit);
  const name = text("name", 64);
  const description = text("description", 1_024);
  required(name, members, "name", faults);
  required(description, members, "description", faults);
  checkName(name, folder, faults);
  const compatibility = text("compatibility", 500);
  if (compatibility === "") faults.add("is empty", "compatibility");
  const metadata = members["metadata"] ?? {};
  if (!isFields(metadata) && metadata !== "") faults.add("is not a mapping", "metadata");
  const inner = isFields(metadata) ? metadata["version"] : undefined;
  const version = text("version", 256) ?? (typeof inner === "string" ? inner.trim() : undefined);
  const license = text("license", 1_024);
  const claims = ["allowed-tools", "tools", "permissions"].flatMap((field) =>
    faults.boundedList(flattenPermissions(members[field] ?? []), field, permissionLimits.characters),
  );
  return {
    path,
    ...defined({ name, description, license, version, compatibility }),
    allowedTools: [...new Set(claims)],
    metadata: isFields(metadata) ? metadata : {},
  };
}

/**
 * Reads the frontmatter of SKILL.md, or of skill.md in its absence, by the rules of agentskills.io: `name` and
 * `description` are required, and `name` is the folder's. Every scalar is text, so `version: 1.10` stays `1.10`.
 * Unknown keys are no faults: real skills have them.
 */
export function readFrontmatter(skill: Skill): FrontmatterReading {
  const path = skillFilePath(skill) ?? "SKILL.md";
  const faults = new FaultList(path);
  const file = skill.files.get(path);
  if (file === undefined) {
    faults.add("is missing: without it this is no skill");
    return { faults: faults.all };
  }
  const read = readCardText(file, skillLimits.instructionBytes);
  if (typeof read === "string") {
    faults.add(read);
    return { faults: faults.all };
  }
  if (read.byteOrderMark) faults.add("begins with a byte order mark, which agents take for text; remove it");
  const source = cut(read.text, faults);
  if (source !== undefined && hasControl(source)) faults.add("contains a control character; remove it");
  const members = source === undefined ? undefined : parse(source, faults);
  if (members === undefined) return { faults: faults.all };
  return { frontmatter: toFrontmatter(members, { path, folder: skill.name }, faults), faults: faults.all };
}
