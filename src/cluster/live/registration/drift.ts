import { isDeepStrictEqual } from "node:util";
import { printable } from "../../../text/printable.ts";
import { isFields } from "../../../text/fields.ts";
import type { KubernetesObject } from "../../../kubernetes/object.ts";

/** By this name our own writes go into managedFields. */
export const fieldManager = "skill-admission";

/** Fields that are named; those behind them come and go with these. */
const maxNamed = 3;
/** Nothing in a webhook is nested deeper than `matchConditions` or `namespaceSelector`. */
const maxDepth = 8;
const maxValue = 80;

/** The uids of those with whom an object goes. */
function ownersOf({ metadata }: KubernetesObject): readonly string[] {
  const { ownerReferences = [] } = metadata as {
    readonly ownerReferences?: readonly { readonly uid: string }[];
  };
  return ownerReferences.map(({ uid }) => uid);
}

/** Is everything registered exactly as wanted: a field that someone added can narrow a webhook as well as one changed. */
export const agrees = (present: KubernetesObject | undefined, wanted: KubernetesObject): boolean =>
  present !== undefined &&
  isDeepStrictEqual(present["webhooks"], wanted["webhooks"]) &&
  ownersOf(wanted).every((uid) => ownersOf(present).includes(uid));

interface Difference {
  /** The webhook, where it is in one. */
  readonly webhook?: string;
  /** From the webhook down: `["clientConfig", "caBundle"]`. */
  readonly path: readonly string[];
  readonly expected: unknown;
  readonly found: unknown;
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

const nameOf = (webhook: unknown): string =>
  isFields(webhook) && typeof webhook["name"] === "string" ? webhook["name"] : "";

/** The children of two values that may be compared one by one; undefined where they differ as a whole. */
function childrenOf(expected: unknown, found: unknown): readonly string[] | undefined {
  if (Array.isArray(expected) && Array.isArray(found))
    return expected.length === found.length ? expected.map((_, index) => String(index)) : undefined;
  if (!isFields(expected) || !isFields(found)) return undefined;
  return [...new Set([...Object.keys(expected), ...Object.keys(found)])];
}

const childOf = (value: unknown, key: string): unknown => {
  if (Array.isArray(value)) return (value as readonly unknown[])[Number(key)];
  return isFields(value) && Object.hasOwn(value, key) ? value[key] : undefined;
};

/** The innermost fields at which two values differ, the first `maxNamed` of them. */
function differences(expected: unknown, found: unknown, path: readonly string[] = []): readonly Difference[] {
  if (isDeepStrictEqual(expected, found)) return [];
  const children = path.length < maxDepth ? childrenOf(expected, found) : undefined;
  if (children === undefined) return [{ path, expected, found }];
  const told: Difference[] = [];
  for (const key of children) {
    told.push(...differences(childOf(expected, key), childOf(found, key), [...path, key]));
    if (told.length >= maxNamed) break;
  }
  return told;
}

function webhookDifferences(present: KubernetesObject, wanted: KubernetesObject): readonly Difference[] {
  const [expected, found] = [listOf(wanted["webhooks"]), listOf(present["webhooks"])];
  const names = [...new Set([...expected, ...found].map(nameOf))];
  const named = (webhooks: readonly unknown[], name: string): unknown =>
    webhooks.find((webhook) => nameOf(webhook) === name);
  const told = names.flatMap((webhook) =>
    differences(named(expected, webhook), named(found, webhook)).map((one) => ({ ...one, webhook })),
  );
  if (told.length > 0 || isDeepStrictEqual(expected, found)) return told;
  return [{ path: ["webhooks"], expected: expected.map(nameOf), found: found.map(nameOf) }];
}

function allDifferences(present: KubernetesObject, wanted: KubernetesObject): readonly Difference[] {
  const owners = ownersOf(present);
  const lost = ownersOf(wanted).filter((uid) => !owners.includes(uid));
  return [
    ...webhookDifferences(present, wanted),
    ...lost.map((uid) => ({ path: ["metadata", "ownerReferences"], expected: uid, found: owners })),
  ];
}

/** Does an entry of managedFields say that its manager wrote this field of this webhook. */
function writes(entry: Readonly<Record<string, unknown>>, { webhook = "", path }: Difference): boolean {
  const fields = childOf(childOf(entry["fieldsV1"], "f:webhooks"), `k:${JSON.stringify({ name: webhook })}`);
  const [field] = path;
  return isFields(fields) && (field === undefined || Object.hasOwn(fields, `f:${field}`));
}

/** Who wrote that field last, as far as managedFields tell (they forget who removed one); others before ourselves. */
function managerOf({ metadata }: KubernetesObject, difference: Difference): string | undefined {
  const entries = listOf(isFields(metadata) ? metadata["managedFields"] : undefined)
    .filter(isFields)
    .filter((entry) => writes(entry, difference));
  const newest = [...entries].sort((a, b) => (String(a["time"]) < String(b["time"]) ? 1 : -1));
  const writer = newest.find(({ manager }) => manager !== fieldManager) ?? newest[0];
  return typeof writer?.["manager"] === "string" ? writer["manager"] : undefined;
}

const valueText = (value: unknown): string =>
  value === undefined ? "nothing" : printable(JSON.stringify(value), maxValue);

function differenceText(present: KubernetesObject, difference: Difference): string {
  const { webhook, path, expected, found } = difference;
  const where = [...(webhook === undefined ? [] : [`webhooks[${webhook}]`]), ...path].join(".");
  const manager = managerOf(present, difference);
  const who =
    manager === fieldManager
      ? " (by another version or installation of Skill Admission)"
      : manager === undefined
        ? ""
        : ` (by ${printable(JSON.stringify(manager), maxValue)})`;
  return `${printable(where)}: expected ${valueText(expected)}, found ${valueText(found)}${who}`;
}

/**
 * What somebody made of the registration: the first fields that differ, with what is expected and found, and with whom
 * the API server knows as their writer.
 *
 * @param present what is registered; undefined where nothing is
 */
export function describeDrift(present: KubernetesObject | undefined, wanted: KubernetesObject): string {
  if (present === undefined) return "it was deleted";
  const told = allDifferences(present, wanted);
  const named = told.slice(0, maxNamed).map((difference) => differenceText(present, difference));
  return [...named, ...(told.length > maxNamed ? ["and more"] : [])].join("; ");
}
