import { isDeepStrictEqual } from "node:util";
import { printable } from "../../../text/printable.ts";
import { isFields } from "../../../text/fields.ts";
import { annotationsOf, metadataOf, type KubernetesObject } from "../../../kubernetes/object.ts";
import { scopeAnnotation } from "./scope.ts";

/** Name of the controller's own writes in managedFields. */
export const fieldManager = "skill-admission";

/** Maximum named fields; further ones usually come and go with these. */
const maxNamed = 3;
/** Nothing in a webhook is nested deeper than `matchConditions` or `namespaceSelector`. */
const maxDepth = 8;
const maxValue = 80;

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** The uids of an object's owners. */
function ownersOf(object: KubernetesObject): readonly string[] {
  const { ownerReferences = [] } = metadataOf(object) as {
    readonly ownerReferences?: readonly { readonly uid: string }[];
  };
  return ownerReferences.map(({ uid }) => uid);
}

const toldScope = (object: KubernetesObject): string | undefined => annotationsOf(object)[scopeAnnotation];

/**
 * True if the registration is exactly as expected: an added field can narrow a webhook as well as a changed one.
 */
export const agrees = (present: KubernetesObject | undefined, wanted: KubernetesObject): boolean =>
  present !== undefined &&
  // The API server leaves an empty list out.
  isDeepStrictEqual(listOf(present["webhooks"]), listOf(wanted["webhooks"])) &&
  toldScope(present) === toldScope(wanted) &&
  ownersOf(wanted).every((uid) => ownersOf(present).includes(uid));

interface Difference {
  /** Name of the webhook, if the difference is in one. */
  readonly webhook?: string;
  /** Path below the webhook: `["clientConfig", "caBundle"]`. */
  readonly path: readonly string[];
  readonly expected: unknown;
  readonly found: unknown;
}

const nameOf = (webhook: unknown): string =>
  isFields(webhook) && typeof webhook["name"] === "string" ? webhook["name"] : "";

/** Keys by which two values are compared member by member; undefined if they differ as a whole. */
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

/** The innermost fields that differ, up to `maxNamed`. */
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
    ...differences(toldScope(wanted), toldScope(present), ["metadata", "annotations", scopeAnnotation]),
    ...lost.map((uid) => ({ path: ["metadata", "ownerReferences"], expected: uid, found: owners })),
  ];
}

/** True if an entry of managedFields owns this field of this webhook. */
function writes(entry: Readonly<Record<string, unknown>>, { webhook = "", path }: Difference): boolean {
  const fields = childOf(childOf(entry["fieldsV1"], "f:webhooks"), `k:${JSON.stringify({ name: webhook })}`);
  const [field] = path;
  return isFields(fields) && (field === undefined || Object.hasOwn(fields, `f:${field}`));
}

/**
 * Last writer of a field according to managedFields, which do not record removals; other managers before the
 * controller.
 */
function managerOf(object: KubernetesObject, difference: Difference): string | undefined {
  const entries = listOf(metadataOf(object)["managedFields"])
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
 * Describes how the registration differs: the first fields, expected and found, with their last writer as the API
 * server knows it.
 * @param present as registered; undefined: none
 */
export function describeDrift(present: KubernetesObject | undefined, wanted: KubernetesObject): string {
  if (present === undefined) return "it was deleted";
  const told = allDifferences(present, wanted);
  const named = told.slice(0, maxNamed).map((difference) => differenceText(present, difference));
  return [...named, ...(told.length > maxNamed ? ["and more"] : [])].join("; ");
}
