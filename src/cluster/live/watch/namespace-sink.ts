import { isDeepStrictEqual } from "node:util";
import type { ClusterHooks } from "../../cluster.ts";
import { breakGlassLabel } from "../api/break-glass.ts";
import { labelsOf, type Labels } from "../../../kubernetes/object.ts";
import type { ObjectSink } from "./reflector.ts";

/**
 * Sink for the watch of namespaces: stores labels, and reports namespaces with the break-glass label after every
 * change.
 */
export function namespaceSink(namespaces: Map<string, Labels>, hooks: ClusterHooks): ObjectSink {
  /** Value of the label by namespace. */
  const open = new Map<string, string>();
  let changed = true;
  const note = (name: string, value: string | undefined): void => {
    if (open.get(name) === value) return;
    changed = true;
    if (value === undefined) open.delete(name);
    else open.set(name, value);
    hooks.onProblem(
      value === undefined
        ? `the Namespace ${name} is checked again: its label ${breakGlassLabel} is gone`
        : `nothing in the Namespace ${name} is checked: it carries the label ${breakGlassLabel}=${value}; take it away as soon as you can`,
    );
  };
  return {
    set: (name, object) => {
      const labels = labelsOf(object);
      const isKnown = isDeepStrictEqual(namespaces.get(name), labels);
      namespaces.set(name, labels);
      if (!isKnown) hooks.onNamespaceLabels?.(name);
      note(name, labels[breakGlassLabel]);
    },
    delete: (name) => {
      namespaces.delete(name);
      note(name, undefined);
    },
    keys: () => namespaces.keys(),
    settled: () => {
      if (changed) hooks.onBreakGlass?.(open.size);
      changed = false;
    },
  };
}
