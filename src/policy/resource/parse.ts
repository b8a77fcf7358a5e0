import { z } from "zod";
import type { KubernetesObject } from "../../workload/kubernetes-object.ts";
import { PolicyError } from "../policy-error.ts";
import { clusterSkillPolicySpec, type ClusterSkillPolicySpec } from "./cluster-skill-policy.ts";
import { objectName } from "./scalars.ts";
import { skillTrustRootSpec, type SkillTrustRootSpec } from "./skill-trust-root.ts";

/** API group and version of the custom resources. */
export const apiVersion = "skill-admission.dev/v1alpha1";

const maxProblems = 8;

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

function fieldOf(path: readonly PropertyKey[]): string {
  const text = path.map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`)).join("");
  return text.replace(/^\./, "").slice(0, 200);
}

function describe({ issues }: z.ZodError): string {
  const shown = issues.slice(0, maxProblems).map(({ path, message }) => {
    const field = fieldOf(path);
    const text = field === "" ? message.slice(0, 200) : `${field}: ${message.slice(0, 200)}`;
    // Keys are written by strangers, and the message ends up in logs and terminals.
    return text.toWellFormed().replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "?");
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
