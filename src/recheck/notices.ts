import { judgeText } from "../policy/always.ts";
import { fitting } from "../policy/verdict-text.ts";
import { printable } from "../text/printable.ts";
import type { ObjectReference } from "../workload/carriers/owner.ts";
import { adviceOn } from "./advice.ts";
import type { Shortfall } from "./judge-pod.ts";
import type { Notice } from "./ports.ts";
import type { StoredPod } from "./stored-pod.ts";

/** Pods of a workload that are named. */
const maxPods = 3;

/** Names a workload: `Deployment payments/etl`. */
export const workloadText = ({ kind, namespace = "", name }: ObjectReference): string =>
  printable(`${kind} ${namespace}/${name}`, 320);

/** Equal for one workload. */
export const workloadKey = ({ kind, namespace = "", name, uid = "" }: ObjectReference): string =>
  JSON.stringify([namespace, kind, name, uid]);

/** Pods of one workload with what they do not meet. */
export interface Found {
  readonly workload: ObjectReference;
  readonly pods: readonly StoredPod[];
  readonly shortfall: Shortfall;
  /** The version that did not comply, where it has been replaced since. */
  readonly replaced?: string;
}

const whatToDo = ({ workload, pods, shortfall }: Found): string =>
  `nothing was stopped, and containers may have read it before it was named: ${adviceOn(shortfall.codes, workload, pods)}`;

/** What people are told of a workload that does not meet a policy: first what happened, last what to do. */
export function noticeOf(found: Found): Notice {
  const { workload, pods, shortfall, replaced } = found;
  const { policy, tenant, mode, summary, lines, codes, key } = shortfall;
  const head = `${judgeText(policy)} (${mode}) is not met by ${workloadText(workload)}, which is stored: ${summary}`;
  const past =
    replaced === undefined
      ? []
      : [`by ${printable(replaced, 320)} as it was for a moment; it has been replaced since`];
  return {
    workload,
    namespace: workload.namespace ?? "",
    pods: pods.slice(0, maxPods).map(({ name }) => name),
    podCount: pods.length,
    policy,
    tenant,
    mode,
    ...(replaced === undefined ? {} : { replaced }),
    codes,
    key: JSON.stringify([workloadKey(workload), policy, key]),
    text: (maxBytes) => fitting([head, ...past, ...lines], whatToDo(found), maxBytes),
  };
}
