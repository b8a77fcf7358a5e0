import { defined, type Fields, isFields } from "../text/fields.ts";
import type { Json } from "../text/json.ts";
import type { Skill } from "../skill/skill.ts";
import { parseStrictYaml, YamlError } from "../text/yaml.ts";
import { FaultList } from "./fault-list.ts";
import { flattenPermissions, permissionLimits } from "./permission.ts";
import type { CardFault, PermissionManifest } from "./skill-card.ts";
import { hasControl, readCardText } from "./text.ts";

const path = "permissions.yaml";

/** Bytes of a manifest; real ones have some 400. */
const maxBytes = 65_536;

/** `permissions.yaml`, with every violation of its format. */
export interface ManifestReading {
  readonly manifest?: PermissionManifest;
  readonly faults: readonly CardFault[];
}

function parse(source: string, faults: FaultList): Fields<Json> | undefined {
  try {
    const value = parseStrictYaml(source, { schema: "core", maxBytes });
    if (isFields(value)) return value;
    faults.add("is not a YAML mapping");
  } catch (cause) {
    if (!(cause instanceof YamlError)) throw cause;
    faults.add(cause.message);
  }
  return undefined;
}

/** Any value but `false` switches the permission on: a permission must not vanish by being misspelt. */
function isOn(members: Fields<Json>, field: string, faults: FaultList): boolean {
  const value = members[field];
  if (value === undefined || value === false) return false;
  if (value !== true) faults.add("is neither true nor false", field);
  return true;
}

/** Free text names destinations in the network; only `none` means no network. */
function usesNetwork({ network }: Fields<Json>, faults: FaultList): boolean {
  if (network === undefined || network === false || network === "none") return false;
  if (typeof network !== "string" && network !== true) faults.add("is no text", "network");
  return true;
}

function modelOf({ model }: Fields<Json>, faults: FaultList): PermissionManifest["model"] {
  if (model === undefined || model === "executable" || model === "knowledge") return model;
  faults.add("is neither executable nor knowledge", "model");
  return undefined;
}

const known = ["model", "executes", "network", "shell", "filesystem_writes"];

function toManifest(members: Fields<Json>, faults: FaultList): PermissionManifest {
  const model = modelOf(members, faults);
  const claims = [
    ...(isOn(members, "executes", faults) ? ["executes"] : []),
    ...(usesNetwork(members, faults) ? ["network"] : []),
    ...(isOn(members, "shell", faults) ? ["shell"] : []),
    ...(isOn(members, "filesystem_writes", faults) ? ["filesystem:write"] : []),
  ];
  if (model === "knowledge" && claims.length > 0)
    faults.add(`says knowledge, and that the skill ${claims.join(", ")}; correct one of them`, "model");
  const others = Object.fromEntries(Object.entries(members).filter(([field]) => !known.includes(field)));
  const more = faults.boundedList(flattenPermissions(others), "permissions", permissionLimits.characters);
  return { path, ...defined({ model }), permissions: [...new Set([...claims, ...more])] };
}

/**
 * Reads `permissions.yaml`: in it, skills with a trust card declare what their files do when they run, by `model`,
 * `executes`, `network`, `shell` and `filesystem_writes`. Unknown members are read as those of SKILL.md's
 * `permissions`.
 */
export function readPermissionManifest({ files }: Skill): ManifestReading {
  const file = files.get(path);
  if (file === undefined) return { faults: [] };
  const faults = new FaultList(path);
  const read = readCardText(file);
  if (typeof read === "string") {
    faults.add(read);
    return { faults: faults.all };
  }
  if (hasControl(read.text)) faults.add("contains a control character; remove it");
  const members = parse(read.text, faults);
  const manifest = members === undefined ? undefined : toManifest(members, faults);
  return manifest === undefined ? { faults: faults.all } : { manifest, faults: faults.all };
}
