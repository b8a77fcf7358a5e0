import { compileSnapshot } from "../../policy/compile/snapshot.ts";
import type { PolicySnapshot } from "../../policy/policy.ts";
import { apiVersion, forEachKind, group, isOwnKind, ownKinds } from "../../policy/resource/kinds.ts";
import { printable } from "../../text/printable.ts";
import { UsageError, type CommandLine } from "../command-line.ts";
import type { Manifest } from "../files/manifests.ts";
import { resolverOf } from "./reference-resolver.ts";

const isOurs = (version: unknown): boolean => typeof version === "string" && version.startsWith(`${group}/`);

/**
 * Rejects objects whose kind or group is misspelt: the cluster refuses them, and a list that is skipped would revoke
 * nothing.
 * @throws UsageError
 */
function assertKinds(manifests: readonly Manifest[]): void {
  const faults = manifests.flatMap(({ file, object }) => {
    if (isOurs(object.apiVersion) === isOwnKind(object.kind)) return [];
    const what = `${file}: ${printable(`${String(object.kind)} of ${String(object.apiVersion)}`)}`;
    return [`${what} is not known; known are ${ownKinds.join(", ")} of ${apiVersion}`];
  });
  if (faults.length > 0) throw new UsageError(faults.slice(0, 10).join("\n"), "correct kind or apiVersion");
}

/**
 * Compiles the policies, trust roots and revocation lists among manifests; other objects are skipped.
 * @throws UsageError without a policy, or where one is wrong or a kind of this product is unknown
 */
export function snapshotOf(
  manifests: readonly Manifest[],
  paths: readonly string[],
  line: Pick<CommandLine, "stderr">,
): PolicySnapshot {
  assertKinds(manifests);
  const objects = forEachKind((kind) =>
    manifests.map(({ object }) => object).filter((object) => object.kind === kind),
  );
  if (objects.ClusterSkillPolicy.length === 0) {
    throw new UsageError(
      `there is no ClusterSkillPolicy in ${paths.join(", ")}`,
      "name a file that holds one",
    );
  }
  const snapshot = compileSnapshot(objects, { resolve: resolverOf(manifests) });
  const problems = snapshot.problems.map(({ kind, name, message }) => `${kind} ${name}: ${message}`);
  if (problems.length > 0) throw new UsageError(problems.join("\n"), "correct what is named");
  for (const { name, message } of snapshot.trustNotes)
    line.stderr.write(`warning: SkillTrustRoot ${name}: ${message}\n`);
  return snapshot;
}
