import type { Namespaces } from "../policy/changes/namespace-change.ts";
import { changesBetween, type InForce } from "../policy/changes/resource-changes.ts";
import type { ClusterHooks } from "./cluster.ts";

/** Tells what is in force, or what changed of it. @param before what was in force; undefined at the start */
export function tellChanges(
  before: InForce | undefined,
  after: InForce,
  namespaces: Namespaces,
  hooks: ClusterHooks,
): void {
  if (before === undefined) {
    hooks.onInForce?.(after);
    return;
  }
  const changes = changesBetween(before, after, namespaces);
  if (changes !== undefined) hooks.onChanges?.(changes);
}
