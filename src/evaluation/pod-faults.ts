import type { Policy } from "../policy/policy.ts";
import { isPlaceOnly } from "../policy/rules/sources.ts";
import type { PodFault, SkillReference } from "../skill/reference.ts";
import { closedMounts, type SeenPod } from "../workload/closed-mounts.ts";
import { quotedNames } from "../workload/pod/pod-spec.ts";
import type { PodSubject } from "../workload/pod/pod-subject.ts";

/** The policies that close a pod, by its labels. */
const closingPolicies = ({ labels }: PodSubject, policies: readonly Policy[]): readonly Policy[] =>
  policies.filter(({ closed }) => closed?.selects(labels) === true);

/** The names of the policies that close a pod, as one text. */
export const closedBy = (pod: PodSubject, policies: readonly Policy[]): string =>
  JSON.stringify(closingPolicies(pod, policies).map(({ name }) => name));

/**
 * What of a pod breaks the demands of these policies on its mounts, its root file systems and its processes. Parses
 * the pod only where a policy demands anything.
 */
export function podFaults(seen: SeenPod, policies: readonly Policy[]): readonly SkillReference[] {
  const { pod, skills } = seen;
  const closing = closingPolicies(pod, policies);
  const seesSkill = skills.some((skill) => !isPlaceOnly(skill));
  const concerned = (demands: (immutability: Policy["immutability"]) => boolean): readonly string[] =>
    policies
      .filter((policy) => demands(policy.immutability) && (seesSkill || closing.includes(policy)))
      .map(({ name }) => name);
  const closings = closing.map(({ name, closed }) => ({ policy: name, data: closed?.data ?? [] }));
  return [
    ...(closings.length === 0 ? [] : closedMounts(seen, closings)),
    ...writableRoots(
      seen,
      concerned(({ readOnlyRootFilesystem }) => readOnlyRootFilesystem),
    ),
    ...sharedProcesses(
      seen,
      concerned(({ privateProcesses }) => privateProcesses),
    ),
  ];
}

/** The image's root file system counts as a source, mounted at `/`. */
function writableRoots(seen: SeenPod, policies: readonly string[]): readonly SkillReference[] {
  if (policies.length === 0) return [];
  const writable = seen.spec().containers.filter(({ security }) => !security.readOnlyRootFilesystem);
  if (writable.length === 0) return [];
  const content: PodFault = {
    state: "fault",
    demand: "rootFilesystem",
    policies,
    detail: `securityContext.readOnlyRootFilesystem is not true in ${quotedNames(writable)}`,
    remedy: "set securityContext.readOnlyRootFilesystem: true in every container",
  };
  const images = new Set(writable.map(({ image }) => image));
  return [
    {
      name: "root-file-system",
      path: "/",
      containers: writable.map(({ name }) => name),
      sources: [...images].map((name) => ({ kind: "Image", name, writable: true })),
      content,
    },
  ];
}

function sharedProcesses(seen: SeenPod, policies: readonly string[]): readonly SkillReference[] {
  if (policies.length === 0) return [];
  const { sharedProcesses: setting, containers, field: at } = seen.spec();
  if (setting === undefined) return [];
  const field = `${at}.${setting}`;
  return [
    {
      name: "processes",
      path: "/proc",
      containers: containers.map(({ name }) => name),
      sources: [{ kind: "Other", name: field, writable: true }],
      content: {
        state: "fault",
        demand: "processes",
        field,
        policies,
        detail: `${field} is true: through /proc each container reaches the files of all`,
        remedy: `take ${field} out of the pod`,
      },
    },
  ];
}
