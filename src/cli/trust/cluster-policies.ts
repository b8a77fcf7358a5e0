import { compileSnapshot, type CompiledSnapshot } from "../../policy/compile/snapshot.ts";
import type { Policy, PolicySnapshot } from "../../policy/policy.ts";
import { referencedText } from "../../policy/trust/object-reference.ts";
import {
  referenceKey,
  type NamedReference,
  type ResolvedReference,
  type TrustReference,
  type TrustReferenceResolver,
} from "../../policy/trust/reference.ts";
import { SourceError } from "../../skill/source-error.ts";
import type { CommandLine } from "../command-line.ts";
import type { LiveReader } from "../../evaluation/live-reader.ts";
import { mirrorFault } from "./reference-resolver.ts";

/** Milliseconds for one object that a trust root refers to. */
const readTimeout = 30_000;

/** The policies by which a call judges. */
export interface PoliciesInForce {
  readonly snapshot: PolicySnapshot;
  /**
   * Why one of these policies cannot be judged by here, though the webhook may do so: it trusts a root that this call
   * could not read. Undefined: all can.
   */
  readonly unreadable: (policies: readonly Policy[]) => string | undefined;
}

async function readReference(
  reference: TrustReference,
  live: LiveReader,
  namespace: string,
): Promise<ResolvedReference> {
  if (reference.kind === "TUF") return { fault: mirrorFault(reference) };
  const { kind, name, key } = reference;
  try {
    const request = { kind, namespace, name, keys: new Set([key]) };
    const object = await live.read(request, AbortSignal.timeout(readTimeout));
    if (object !== undefined) return referencedText(reference, object);
    return {
      fault: `there is no ${kind} ${namespace}/${name}; create it, or name the controller's namespace with --controller-namespace`,
    };
  } catch (error) {
    if (error instanceof SourceError) return { fault: error.message };
    throw error;
  }
}

/** What trust roots refer to, read from a namespace of a cluster. */
export async function readReferences(
  references: readonly NamedReference[],
  live: LiveReader,
  namespace: string,
): Promise<TrustReferenceResolver> {
  const read = new Map<string, ResolvedReference>();
  for (const { reference } of references)
    read.set(referenceKey(reference), await readReference(reference, live, namespace));
  return (reference) => read.get(referenceKey(reference)) ?? { fault: "it was not read" };
}

/** Tells which policies are unusable here only: those of the cluster's own faults deny there too. */
function unreadableBy(
  { problems, references }: CompiledSnapshot,
  resolve: TrustReferenceResolver,
): PoliciesInForce["unreadable"] {
  const unresolved = new Set(
    references
      .filter(({ reference }) => resolve(reference).text === undefined)
      .map(({ name }) => name.slice(0, name.indexOf("/"))),
  );
  const [root] = problems.filter(({ kind, name }) => kind === "SkillTrustRoot" && unresolved.has(name));
  return (policies) => {
    const policy = policies.find(({ invalidReason }) => invalidReason !== undefined);
    if (root === undefined || policy === undefined) return undefined;
    return `the policy ${policy.name} cannot be judged by here: SkillTrustRoot ${root.name}: ${root.message}`;
  };
}

/**
 * Reads policies, trust roots and revocation lists from a cluster, and what the trust roots refer to. A policy that is
 * wrong there denies, as it does in the webhook; warnings name it.
 * @throws SourceError where they cannot be listed
 */
export async function readClusterPolicies(
  live: LiveReader,
  controllerNamespace: string,
  line: Pick<CommandLine, "stderr">,
): Promise<PoliciesInForce> {
  const objects = await live.policyObjects();
  const { references } = compileSnapshot(objects);
  const resolve = await readReferences(references, live, controllerNamespace);
  const snapshot = compileSnapshot(objects, { resolve });
  const notes = snapshot.trustNotes.map((note) => ({ kind: "SkillTrustRoot", ...note }));
  for (const { kind, name, message } of [...snapshot.problems, ...notes])
    line.stderr.write(`warning: ${kind} ${name}: ${message}\n`);
  if (snapshot.policies.length === 0)
    line.stderr.write("warning: the cluster has no ClusterSkillPolicy: nothing is denied there\n");
  return { snapshot, unreadable: unreadableBy(snapshot, resolve) };
}
