import { z } from "zod";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { printable } from "../../text/printable.ts";
import { memoizeByObject } from "../../text/memoize-by-object.ts";
import { PolicyError } from "../policy-error.ts";
import { apiVersion, forEachKind, ownResources, type OwnKind, type SpecOf } from "./kinds.ts";
import { lostFields, named } from "./lost-fields.ts";
import { objectName } from "./schema/scalars.ts";

const maxProblems = 8;
/** Characters of a message, and of one problem: field, colon and message. */
const maxMessage = 300;
const maxProblemLength = 200 + 2 + maxMessage;

const schemaOf = (kind: OwnKind) =>
  z.strictObject({
    apiVersion: z.literal(apiVersion).exactOptional(),
    kind: z.literal(kind).exactOptional(),
    metadata: z.looseObject({ name: objectName }),
    spec: ownResources[kind].spec,
    // Written by the controller, never read.
    status: z.unknown().exactOptional(),
  });

function fieldOf(path: readonly PropertyKey[]): string {
  const text = path.map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`)).join("");
  return text.replace(/^\./, "").slice(0, 200);
}

const units: ReadonlyMap<string, readonly [one: string, many: string]> = new Map([
  ["string", ["character", "characters"]],
  ["array", ["entry", "entries"]],
  ["object", ["member", "members"]],
  ["map", ["member", "members"]],
]);

/** Limit of a number itself, or of what a text, list or map holds. */
function limit(word: "at least" | "at most", origin: string, count: number | bigint): string {
  const unit = units.get(origin);
  if (unit === undefined) return `must be ${word} ${count}`;
  return `must have ${word} ${count} ${unit[Number(count) === 1 ? 0 : 1]}`;
}

const required = "is required";

/** Told apart while parsing, where the value is still known: an issue says of a missing enum only what it may be. */
const parameters: z.core.ParseContext<z.core.$ZodIssue> = {
  error: ({ input }) => (input === undefined ? required : undefined),
};

/** Describes a schema issue to the author of the resource; rules of this project bring their own message. */
function wordsOf(issue: z.core.$ZodIssue): string {
  if (issue.message === required) return required;
  switch (issue.code) {
    case "invalid_type":
      return `must be of type ${issue.expected}`;
    case "invalid_value":
      return `must be ${issue.values.length > 1 ? "one of " : ""}${issue.values.map(String).join(", ")}`;
    case "too_small":
      return limit("at least", issue.origin, issue.minimum);
    case "too_big":
      return limit("at most", issue.origin, issue.maximum);
    default:
      return issue.message;
  }
}

/** Makes each unknown field a problem of its own, named by its whole path. */
const problemsOf = (issue: z.core.$ZodIssue): readonly (readonly [field: string, words: string])[] =>
  issue.code === "unrecognized_keys"
    ? issue.keys.slice(0, maxProblems).map((key) => [fieldOf([...issue.path, key]), "there is no such field"])
    : [[fieldOf(issue.path), wordsOf(issue)]];

function describe({ issues: all }: z.ZodError): string {
  const issues = all.flatMap(problemsOf);
  const shown = issues.slice(0, maxProblems).map(([field, message]) => {
    const text = field === "" ? message.slice(0, maxMessage) : `${field}: ${message.slice(0, maxMessage)}`;
    // Keys come from strangers, and the message ends up in logs and terminals.
    return printable(text, maxProblemLength);
  });
  const more = issues.length - shown.length;
  return [...shown, ...(more > 0 ? [`and ${more} more`] : [])].join("; ");
}

/** Name and `spec` of a resource, without the API server's metadata. */
interface Parsed<Spec> {
  readonly name: string;
  readonly spec: Spec;
}

/**
 * Refuses a resource that lost fields: without them it may say less than was meant.
 * @throws PolicyError FieldsLost
 */
function assertWhole(object: KubernetesObject): void {
  const lost = lostFields(object);
  if (lost.length === 0) return;
  throw new PolicyError(
    "FieldsLost",
    printable(
      `fields that were written are gone: ${named(lost)}; a CustomResourceDefinition without them was installed. Apply those of the version that has them, then the resource once more`,
      maxProblemLength,
    ),
  );
}

function parse(schema: ReturnType<typeof schemaOf>, object: KubernetesObject): Parsed<unknown> {
  assertWhole(object);
  const result = schema.safeParse(object, parameters);
  if (!result.success) throw new PolicyError("Invalid", describe(result.error), { cause: result.error });
  return { name: result.data.metadata.name, spec: result.data.spec };
}

/** Each object is parsed once: lists have thousands of entries, and any change compiles all of them again. */
const parsers = forEachKind((kind) => {
  const schema = schemaOf(kind);
  return memoizeByObject((object: KubernetesObject) => parse(schema, object));
});

/**
 * Parses a resource by the schema of its kind, strictly: an unknown field is an error (CVE-2025-29778).
 * @throws PolicyError Invalid, with every problem; FieldsLost
 */
export const parseResource = <K extends OwnKind>(kind: K, object: KubernetesObject): Parsed<SpecOf<K>> =>
  parsers[kind](object) as Parsed<SpecOf<K>>;

/** Reads a resource of a kind, or throws a PolicyError. */
export type ReadResource = typeof parseResource;
