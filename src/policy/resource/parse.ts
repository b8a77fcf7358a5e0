import { z } from "zod";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { printable } from "../../text/printable.ts";
import { PolicyError } from "../policy-error.ts";
import { clusterSkillPolicySpec, type ClusterSkillPolicySpec } from "./cluster-skill-policy.ts";
import { objectName } from "./schema/scalars.ts";
import { skillRevocationListSpec, type SkillRevocationListSpec } from "./skill-revocation-list.ts";
import { skillTrustRootSpec, type SkillTrustRootSpec } from "./skill-trust-root.ts";

/** API group and version of the custom resources. */
export const apiVersion = "skill-admission.dev/v1alpha1";

const maxProblems = 8;
/** Characters of one: field, colon and message. */
const maxProblemLength = 402;

const resource = <S extends z.ZodType>(kind: string, spec: S) =>
  z.strictObject({
    apiVersion: z.literal(apiVersion).exactOptional(),
    kind: z.literal(kind).exactOptional(),
    metadata: z.looseObject({ name: objectName }),
    spec,
    // Written by the controller, never read.
    status: z.unknown().exactOptional(),
  });

const policyResource = resource("ClusterSkillPolicy", clusterSkillPolicySpec);
const trustRootResource = resource("SkillTrustRoot", skillTrustRootSpec);
const revocationListResource = resource("SkillRevocationList", skillRevocationListSpec);

function fieldOf(path: readonly PropertyKey[]): string {
  const text = path.map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`)).join("");
  return text.replace(/^\./, "").slice(0, 200);
}

const units: ReadonlyMap<string, readonly [one: string, many: string]> = new Map([
  ["string", ["character", "characters"]],
  ["array", ["entry", "entries"]],
]);

function amount(origin: string, count: number | bigint): string {
  const [one, many] = units.get(origin) ?? ["member", "members"];
  return `${count} ${Number(count) === 1 ? one : many}`;
}

/** A problem in the words of whoever wrote the resource; rules of ours come with their own. */
function wordsOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return issue.message.endsWith("received undefined")
        ? "is required"
        : `must be of type ${issue.expected}`;
    case "invalid_value":
      return `must be ${issue.values.length > 1 ? "one of " : ""}${issue.values.map(String).join(", ")}`;
    case "too_small":
      return `must have at least ${amount(issue.origin, issue.minimum)}`;
    case "too_big":
      return `must have at most ${amount(issue.origin, issue.maximum)}`;
    default:
      return issue.message;
  }
}

/** Every unknown field is a problem of its own, named by its whole path. */
const problemsOf = (issue: z.core.$ZodIssue): readonly (readonly [field: string, words: string])[] =>
  issue.code === "unrecognized_keys"
    ? issue.keys.slice(0, maxProblems).map((key) => [fieldOf([...issue.path, key]), "there is no such field"])
    : [[fieldOf(issue.path), wordsOf(issue)]];

function describe({ issues: all }: z.ZodError): string {
  const issues = all.flatMap(problemsOf);
  const shown = issues.slice(0, maxProblems).map(([field, message]) => {
    const text = field === "" ? message.slice(0, 200) : `${field}: ${message.slice(0, 200)}`;
    // Keys are written by strangers, and the message ends up in logs and terminals.
    return printable(text, maxProblemLength);
  });
  const more = issues.length - shown.length;
  return [...shown, ...(more > 0 ? [`and ${more} more`] : [])].join("; ");
}

/** What is read: the resource without the API server's own bookkeeping. */
interface Parsed<Spec> {
  readonly name: string;
  readonly spec: Spec;
}

function parse<Spec>(
  schema: z.ZodType<{ readonly metadata: { readonly name: string }; readonly spec: Spec }>,
  object: KubernetesObject,
): Parsed<Spec> {
  const result = schema.safeParse(object);
  if (!result.success) {
    throw new PolicyError("Invalid", describe(result.error), { cause: result.error });
  }
  return { name: result.data.metadata.name, spec: result.data.spec };
}

/**
 * Reads a ClusterSkillPolicy by its schema, strictly: an unknown field is an error (CVE-2025-29778).
 * @throws PolicyError Invalid, with every problem
 */
export const parsePolicy = (object: KubernetesObject): Parsed<ClusterSkillPolicySpec> =>
  parse(policyResource, object);

/** @throws PolicyError Invalid, with every problem */
export const parseTrustRoot = (object: KubernetesObject): Parsed<SkillTrustRootSpec> =>
  parse(trustRootResource, object);

const readLists = new WeakMap<KubernetesObject, Parsed<SkillRevocationListSpec>>();

/**
 * Lists have thousands of entries and are compiled with every change of any policy: each object is read once.
 * @throws PolicyError Invalid, with every problem
 */
export function parseRevocationList(object: KubernetesObject): Parsed<SkillRevocationListSpec> {
  const known = readLists.get(object);
  if (known !== undefined) return known;
  const parsed = parse(revocationListResource, object);
  readLists.set(object, parsed);
  return parsed;
}
