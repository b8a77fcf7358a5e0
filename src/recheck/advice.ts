import type { Reason } from "../policy/reason.ts";
import { printable } from "../text/printable.ts";
import type { ObjectReference } from "../workload/carriers/owner.ts";
import type { StoredPod } from "./stored-pod.ts";

/** Longest name of an object. */
const wholeName = 253;

function someOf(kind: string, names: readonly string[]): string {
  const [first = ""] = names;
  const more = names.length > 1 ? ` and ${names.length - 1} more` : "";
  return `${kind} ${printable(first, wholeName)}${more}`;
}

const podsText = (pods: readonly StoredPod[]): string =>
  someOf(
    "Pod",
    pods.map(({ name }) => name),
  );

/** The Jobs that own these pods. */
const jobsText = (pods: readonly StoredPod[]): string =>
  someOf("Job", [...new Set(pods.map(({ owner }) => owner.name))]);

/** What files do not show by themselves: it also comes of a policy, trust or list that was changed. */
const byTrust: ReadonlySet<Reason> = new Set([
  "UNTRUSTED_SIGNER",
  "SIGNER_EXPIRED",
  "REVOKED",
  "EXPIRED",
  "SIGNING_TIME_UNKNOWN",
  "SKILL_NOT_ALLOWED",
  "GRADE_BELOW_MINIMUM",
]);

/** What to do about pods that do not comply, by what they do not meet and what they belong to. */
export function adviceOn(
  codes: readonly Reason[],
  workload: ObjectReference,
  pods: readonly StoredPod[],
): string {
  const replacing = replacementAdvice(workload, pods);
  if (!codes.every((code) => byTrust.has(code))) return replacing;
  return `if the policy, its trust or a revocation was changed by mistake, put that right, and nothing has to be replaced; otherwise ${replacing}`;
}

/**
 * How to replace pods that do not comply, by what they belong to. A new name, for the kubelet shows bytes of a changed
 * ConfigMap late, and those of an immutable one for ever.
 */
function replacementAdvice({ kind, name }: ObjectReference, pods: readonly StoredPod[]): string {
  const workload = `${kind} ${printable(name, wholeName)}`;
  const correct = `correct it in ${workload}, with ConfigMaps of new names`;
  switch (kind) {
    case "Deployment":
      return `${correct}, and see that its rollout replaces ${podsText(pods)}`;
    case "StatefulSet":
    case "DaemonSet":
      return `${correct}, and see that its rollout replaces ${podsText(pods)}: where updateStrategy is OnDelete, delete them`;
    case "ReplicaSet":
    case "ReplicationController":
      return `${correct}, then delete ${podsText(pods)}, which it makes anew`;
    case "CronJob":
      return `${correct}, then delete ${jobsText(pods)}, which keeps its old template`;
    case "Job":
      return `delete ${workload}, whose template cannot be changed, and create it anew, corrected, with ConfigMaps of new names`;
    default:
      return `delete ${podsText(pods)}, and create it anew, or what makes it, corrected, with ConfigMaps of new names`;
  }
}
