import type { LiveReader } from "../../evaluation/live-reader.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { compileSnapshot } from "../../policy/compile/snapshot.ts";
import type { PolicySnapshot } from "../../policy/policy.ts";
import { forEachKind, type PolicyObjects } from "../../policy/resource/kinds.ts";
import { nameOf } from "../../policy/resource/schema/name.ts";
import type { TrustReferenceResolver } from "../../policy/trust/reference.ts";
import { SourceError } from "../../skill/source-error.ts";
import { printableLines } from "../../text/printable.ts";
import type { CommandLine } from "../command-line.ts";
import type { Manifest } from "../files/manifests.ts";
import { readReferences } from "./cluster-policies.ts";
import { compiledFrom, objectsIn } from "./policy-sources.ts";
import { resolverOf } from "./reference-resolver.ts";

/** Objects of a cluster that no file replaces. */
function lacking(own: readonly KubernetesObject[], there: readonly KubernetesObject[]) {
  const names = new Set(own.map(nameOf));
  return there.filter((object) => !names.has(nameOf(object)));
}

/** Trust roots and revocation lists of a cluster; where they cannot be read, none, which is said. */
async function trustThere(
  live: LiveReader,
  line: Pick<CommandLine, "stderr">,
): Promise<PolicyObjects | undefined> {
  try {
    return await live.policyObjects();
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    line.stderr.write(
      `warning: trust roots and revocation lists of the cluster do not count here: ${printableLines(error.message)}\n`,
    );
    return undefined;
  }
}

/**
 * The policies of files, with the trust roots and revocation lists that the files lack and a cluster has: they would
 * count there too.
 * @throws UsageError without a policy, or where an object of the files is wrong
 */
export async function filePolicies(
  manifests: readonly Manifest[],
  paths: readonly string[],
  { live, controllerNamespace }: { readonly live: LiveReader; readonly controllerNamespace: string },
  line: Pick<CommandLine, "stderr">,
): Promise<PolicySnapshot> {
  const own = objectsIn(manifests, paths);
  const there = await trustThere(live, line);
  const objects = forEachKind((kind) => [
    ...own[kind],
    ...(kind === "ClusterSkillPolicy" || there === undefined ? [] : lacking(own[kind], there[kind])),
  ]);
  const inFiles = resolverOf(manifests);
  const others = compileSnapshot(objects).references.filter(
    ({ reference }) => inFiles(reference).text === undefined,
  );
  const inCluster = await readReferences(others, live, controllerNamespace);
  const resolve: TrustReferenceResolver = (reference) => {
    const found = inFiles(reference);
    return found.text === undefined ? inCluster(reference) : found;
  };
  return compiledFrom(
    objects,
    { resolve, isOwn: (kind, name) => own[kind].some((one) => nameOf(one) === name) },
    line,
  );
}
