import type { ClusterHooks } from "../cluster/cluster.ts";
import { breakGlassText } from "../cluster/live/api/break-glass.ts";
import { generationOf, nameOf, type KubernetesObject } from "../kubernetes/object.ts";
import type { Writer } from "../kubernetes/writer.ts";
import type { NamespaceChange, Passage } from "../policy/changes/namespace-change.ts";
import type { InForce, PolicyChanges, ResourceChange } from "../policy/changes/resource-changes.ts";
import { ownKinds, type OwnKind } from "../policy/resource/kinds.ts";
import type { NamespaceChangeWord } from "../telemetry/change-metrics.ts";
import type { LogFields } from "../telemetry/log.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import { defined } from "../text/fields.ts";

/** Names that a record has of each list; a list that has more is counted too. */
const maxNames = 30;

const listed = (field: string, names: readonly string[]): LogFields => ({
  ...(names.length === 0 ? {} : { [field]: names.slice(0, maxNames) }),
  ...(names.length > maxNames ? { [`${field}Total`]: names.length } : {}),
});

const writerFields = (writer: Writer | undefined): LogFields =>
  writer === undefined ? {} : { manager: writer.manager, ...defined({ managedAt: writer.time }) };

const resourceText = ({ kind, name, change, what }: ResourceChange): string => {
  const words = what.length === 0 ? "" : `: ${what.join("; ")}`;
  return `${kind} ${name} was ${change}${words}`;
};

const resourceFields = (resource: ResourceChange): LogFields => ({
  change: resource.change,
  kind: resource.kind,
  name: resource.name,
  uid: resource.uid,
  ...defined({ generationBefore: resource.before, generation: resource.after }),
  ...listed("what", resource.what),
  ...listed("namespacesEntered", resource.namespaces.entered),
  ...listed("namespacesLeft", resource.namespaces.left),
  ...writerFields(resource.writer),
});

/** Whether less is held up than before. */
const isLoss = ({ change, namespaces }: ResourceChange): boolean =>
  change === "deleted" || change === "weakened" || namespaces.left.length > 0;

function wordOf({ exemption, left }: NamespaceChange): NamespaceChangeWord {
  if (exemption !== undefined) return exemption.after === undefined ? "readmitted" : "exempted";
  return left.length > 0 ? "left" : "entered";
}

function namespaceText({ name, exemption, entered, left, isGoverned }: NamespaceChange): string {
  if (exemption !== undefined) return breakGlassText(name, exemption.after);
  const parts = [
    ...(left.length === 0 ? [] : [`left ${left.join(", ")}`]),
    ...(entered.length === 0 ? [] : [`came under ${entered.join(", ")}`]),
  ];
  return `the Namespace ${name} ${parts.join(" and ")}${isGoverned ? "" : ": no policy governs it now"}`;
}

const namespaceFields = (change: NamespaceChange): LogFields => ({
  change: wordOf(change),
  kind: "Namespace",
  name: change.name,
  ...listed("entered", change.entered),
  ...listed("left", change.left),
  governed: change.isGoverned,
  labels: change.labels.slice(0, maxNames),
  ...writerFields(change.writer),
});

/** `ClusterSkillPolicy payments@7 Enforce`. */
function inForceText(kind: OwnKind, object: KubernetesObject, { policies }: InForce): string {
  const [name, generation] = [nameOf(object), generationOf(object)];
  const mode = kind === "ClusterSkillPolicy" ? policies.find((one) => one.name === name)?.mode : undefined;
  return `${kind} ${name}${generation === undefined ? "" : `@${generation}`}${mode === undefined ? "" : ` ${mode}`}`;
}

/** Lines of names that tell what is in force, at most. */
const maxLines = 20;

/**
 * Logs and counts what changes of all that decides, for auditors. Every replica does: none is lost while the lead
 * passes on, and each says from when on it decided by what.
 */
export function changeRecords({
  log,
  metrics,
}: Telemetry): Required<Pick<ClusterHooks, "onInForce" | "onChanges" | "onNamespaceChange">> {
  const countPassage = ({ entered, left }: Passage): void => {
    metrics.observeNamespaceChange("entered", entered.length);
    metrics.observeNamespaceChange("left", left.length);
  };
  const resourceChanged = (resource: ResourceChange): void => {
    const { kind, name, change, namespaces } = resource;
    log[isLoss(resource) ? "warn" : "info"](resourceText(resource), resourceFields(resource));
    metrics.expectResource(kind, name);
    metrics.observeResourceChange(kind, name, change);
    countPassage(namespaces);
  };
  return {
    onInForce: (inForce) => {
      const all = ownKinds.flatMap((kind) => inForce.objects[kind].map((object) => ({ kind, object })));
      for (const { kind, object } of all) metrics.expectResource(kind, nameOf(object));
      const told = all.map(({ kind, object }) => inForceText(kind, object, inForce));
      for (let line = 0; line < maxLines && (line === 0 || line * maxNames < told.length); line += 1)
        log.info("in force", {
          inForce: told.slice(line * maxNames, (line + 1) * maxNames),
          inForceTotal: told.length,
          trust: inForce.trust,
        });
    },
    onChanges: ({ resources, trust }: PolicyChanges) => {
      for (const resource of resources) resourceChanged(resource);
      if (trust === undefined) return;
      const { before: trustBefore, after } = trust;
      log.info("the trust in force changed", { change: "changed", kind: "Trust", trustBefore, trust: after });
      metrics.observeResourceChange("Trust", "", "changed");
    },
    onNamespaceChange: (change) => {
      const isLess = change.left.length > 0 || change.exemption?.after !== undefined;
      log[isLess ? "warn" : "info"](namespaceText(change), namespaceFields(change));
      if (change.entered.length > 0) metrics.observeNamespaceChange("entered");
      if (change.left.length > 0) metrics.observeNamespaceChange("left");
      const { exemption } = change;
      if (exemption !== undefined && (exemption.before === undefined) !== (exemption.after === undefined))
        metrics.observeNamespaceChange(exemption.after === undefined ? "readmitted" : "exempted");
    },
  };
}
