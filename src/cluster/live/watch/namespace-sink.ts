import { isDeepStrictEqual } from "node:util";
import { labelsOf, type KubernetesObject, type Labels } from "../../../kubernetes/object.ts";
import { writerOf } from "../../../kubernetes/writer.ts";
import {
  governedBy,
  labelChanges,
  passage,
  type NamespaceChange,
} from "../../../policy/changes/namespace-change.ts";
import type { Policy } from "../../../policy/policy.ts";
import { defined } from "../../../text/fields.ts";
import type { ClusterHooks } from "../../cluster.ts";
import { breakGlassLabel, breakGlassText } from "../api/break-glass.ts";
import type { ObjectSink } from "./reflector.ts";

/** What a change of labels changes of the policies that govern a namespace; undefined: nothing. */
function changeOf(
  name: string,
  object: KubernetesObject,
  before: Labels | undefined,
  policies: readonly Policy[],
): NamespaceChange | undefined {
  const labels = labelsOf(object);
  const governs = governedBy(name, labels, policies);
  const passed = passage(governedBy(name, before, policies), governs);
  const changes = labelChanges(before, labels);
  const exemption = changes.find(({ key }) => key === breakGlassLabel);
  if (passed.entered.length === 0 && passed.left.length === 0 && exemption === undefined) return undefined;
  return {
    name,
    ...passed,
    isGoverned: governs.length > 0,
    labels: changes,
    ...defined({ exemption, writer: writerOf(object) }),
  };
}

/**
 * Sink for the watch of namespaces: stores labels, reports namespaces with the break-glass label, and after the first
 * list the changes of labels by which one comes under policies, or leaves some.
 */
export function namespaceSink(
  namespaces: Map<string, Labels>,
  hooks: ClusterHooks,
  policies: () => readonly Policy[],
): ObjectSink {
  const open = new Set<string>();
  let changed = true;
  let isListed = false;
  const note = (name: string, value: string | undefined): void => {
    if (open.has(name) === (value !== undefined)) return;
    changed = true;
    if (value === undefined) open.delete(name);
    else open.add(name);
  };
  const tell = (name: string, object: KubernetesObject, before: Labels | undefined): void => {
    const value = labelsOf(object)[breakGlassLabel];
    if (!isListed && value !== undefined) hooks.onProblem(breakGlassText(name, value));
    const change = isListed ? changeOf(name, object, before, policies()) : undefined;
    if (change !== undefined) hooks.onNamespaceChange?.(change);
  };
  return {
    set: (name, object) => {
      const labels = labelsOf(object);
      const before = namespaces.get(name);
      namespaces.set(name, labels);
      note(name, labels[breakGlassLabel]);
      if (isDeepStrictEqual(before, labels)) return;
      tell(name, object, before);
      hooks.onNamespaceLabels?.(name);
    },
    delete: (name) => {
      namespaces.delete(name);
      note(name, undefined);
    },
    keys: () => namespaces.keys(),
    settled: () => {
      isListed = true;
      if (changed) hooks.onBreakGlass?.(open.size);
      changed = false;
    },
  };
}
