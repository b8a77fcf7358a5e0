import { compileSnapshot } from "../../policy/compile/snapshot.ts";
import type { PolicySnapshot } from "../../policy/policy.ts";
import {
  apiVersion,
  forEachKind,
  group,
  isOwnKind,
  ownKinds,
  type OwnKind,
  type PolicyObjects,
} from "../../policy/resource/kinds.ts";
import type { TrustReferenceResolver } from "../../policy/trust/reference.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { isFields } from "../../text/fields.ts";
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
 * The policies, trust roots and revocation lists among manifests; other objects are skipped.
 * @throws UsageError without a policy, or where a kind of this product is unknown
 */
export function objectsIn(manifests: readonly Manifest[], paths: readonly string[]): PolicyObjects {
  assertKinds(manifests);
  const objects = forEachKind((kind) =>
    manifests.map(({ object }) => object).filter((object) => object.kind === kind),
  );
  const isAlways = ({ spec }: KubernetesObject): boolean =>
    isFields(spec) && spec["enforcement"] === "Always";
  if (objects.ClusterSkillPolicy.length === 0 && !objects.SkillRevocationList.some(isAlways)) {
    throw new UsageError(
      `there is no ClusterSkillPolicy in ${paths.join(", ")}`,
      "name a file that holds one",
    );
  }
  return objects;
}

/** How objects are compiled that do not all come from files. */
interface Origin {
  readonly resolve: TrustReferenceResolver;
  /** Whether an object is one of the files. */
  readonly isOwn: (kind: OwnKind, name: string) => boolean;
}

/**
 * Compiles objects. What is wrong of a cluster's own is said, for whoever calls cannot mend it.
 * @throws UsageError where an object of the files is wrong
 */
export function compiledFrom(
  objects: PolicyObjects,
  { resolve, isOwn }: Origin,
  line: Pick<CommandLine, "stderr">,
): PolicySnapshot {
  const snapshot = compileSnapshot(objects, { resolve });
  const own = Map.groupBy(snapshot.problems, ({ kind, name }) => isOwn(kind, name));
  const notes = snapshot.trustNotes.map((note) => ({ kind: "SkillTrustRoot", ...note }));
  const faults = (own.get(true) ?? []).map(({ kind, name, message }) => `${kind} ${name}: ${message}`);
  for (const { kind, name, message } of [...(own.get(false) ?? []), ...(faults.length > 0 ? [] : notes)])
    line.stderr.write(`warning: ${kind} ${name}: ${message}\n`);
  if (faults.length > 0) throw new UsageError(faults.join("\n"), "correct what is named");
  return snapshot;
}

/**
 * Compiles the policies, trust roots and revocation lists among manifests.
 * @throws UsageError without a policy, or where one is wrong or a kind of this product is unknown
 */
export const snapshotOf = (
  manifests: readonly Manifest[],
  paths: readonly string[],
  line: Pick<CommandLine, "stderr">,
): PolicySnapshot =>
  compiledFrom(objectsIn(manifests, paths), { resolve: resolverOf(manifests), isOwn: () => true }, line);
