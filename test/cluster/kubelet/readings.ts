import { setTimeout } from "node:timers/promises";

import type { KubernetesObject } from "../../../src/kubernetes/object.ts";
import { isFields } from "../../../src/text/fields.ts";
import { parseListing, type Line } from "../../fixtures/generated-pods/listing.ts";

/** Runs kubectl in the namespace of the pods. */
type Kubectl = (args: readonly string[], input?: string) => Promise<string>;

/** A container that ran, and what could be read in it. */
export interface Reading {
  readonly pod: KubernetesObject;
  /** The container's name. */
  readonly name: string;
  readonly lines: readonly Line[];
}

interface Status {
  readonly name: string;
  readonly state: {
    readonly running?: unknown;
    readonly terminated?: { readonly exitCode: number };
    readonly waiting?: { readonly reason?: string };
  };
}

/** Milliseconds after which what has not changed will not change. */
const patience = 60_000;
/** Milliseconds without a change after which it is worth to ask why. */
const pause = 3_000;
/** How often the kubelet has to say that it cannot write a volume, which it tries forever, a little later each time. */
const attempts = 4;

export const nameOf = ({ metadata }: KubernetesObject): string =>
  (metadata as { readonly name: string }).name;

const statusOf = ({ status }: KubernetesObject): Readonly<Record<string, unknown>> =>
  isFields(status) ? status : {};

const containersOf = (pod: KubernetesObject): readonly Status[] =>
  ["initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"].flatMap(
    (field) => (statusOf(pod)[field] ?? []) as readonly Status[],
  );

const hasRun = ({ state: { running, terminated } }: Status): boolean =>
  running !== undefined || terminated?.exitCode === 0;

/** Whether the kubelet has done with a container what it can: it has run, or was refused. */
const isSettled = ({ state }: Status): boolean =>
  state.waiting === undefined ||
  (state.waiting.reason !== undefined &&
    !["ContainerCreating", "PodInitializing"].includes(state.waiting.reason));

const isOver = (pod: KubernetesObject): boolean =>
  ["Failed", "Succeeded"].includes(String(statusOf(pod)["phase"])) ||
  (containersOf(pod).length > 0 && containersOf(pod).every(isSettled));

async function logsOf(kubectl: Kubectl, selector: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const text = await kubectl([
    ...["logs", ...selector, "--all-containers", "--prefix", "--ignore-errors"],
    ...["--tail=-1", "--max-log-requests=1000"],
  ]);
  const lines = text.split("\n").map((line) => /^\[pod\/([^\]]+)\] (.*)$/.exec(line) ?? []);
  const byContainer = Map.groupBy(lines, ([, key = ""]) => key);
  return new Map(
    [...byContainer].map(([key, some]) => [key, some.map(([, , rest = ""]) => rest).join("\n")]),
  );
}

interface Events {
  readonly items: readonly {
    readonly count?: number;
    readonly message: string;
    readonly involvedObject: { readonly name: string };
  }[];
}

/** Names of pods whose volumes the kubelet cannot write. That it has no ConfigMap yet happens to any pod on a busy machine. */
async function withoutVolumes(kubectl: Kubectl): Promise<ReadonlySet<string>> {
  const text = await kubectl(["get", "events", "--field-selector=reason=FailedMount", "-o", "json"]);
  const failures = (JSON.parse(text) as Events).items.filter(
    ({ message }) => !/failed to sync|not registered/.test(message),
  );
  // Each attempt has a folder's name of its own in its message, and so an Event of its own.
  const counts = new Map<string, number>();
  for (const { involvedObject, count = 1 } of failures)
    counts.set(involvedObject.name, (counts.get(involvedObject.name) ?? 0) + count);
  return new Set([...counts].flatMap(([name, count]) => (count >= attempts ? [name] : [])));
}

/** The selected pods, as soon as the kubelet has done with them what it can. */
export async function settled(
  kubectl: Kubectl,
  selector: readonly string[],
): Promise<readonly KubernetesObject[]> {
  let before = "";
  let changed = Date.now();
  for (;;) {
    const text = await kubectl(["get", "pods", ...selector, "-o", "json"]);
    const pods = (JSON.parse(text) as { items: KubernetesObject[] }).items;
    const now = JSON.stringify(
      pods.map((pod) => containersOf(pod).map((one) => [isSettled(one), hasRun(one)])),
    );
    if (now !== before) changed = Date.now();
    before = now;
    const left = pods.filter((pod) => !isOver(pod));
    const quiet = Date.now() - changed;
    if (left.length === 0 || quiet > patience) return pods;
    const refused = quiet > pause ? await withoutVolumes(kubectl) : new Set();
    if (left.every((pod) => refused.has(nameOf(pod)))) return pods;
    await setTimeout(500);
  }
}

/** What each container of the pods can read that has run, as soon as all of them have told. */
export async function readings(
  kubectl: Kubectl,
  selector: readonly string[],
  pods: readonly KubernetesObject[],
): Promise<readonly Reading[]> {
  const ran = pods.flatMap((pod) =>
    containersOf(pod)
      .filter((one) => hasRun(one) && one.name !== "writer")
      .map(({ name }) => ({ pod, name })),
  );
  const end = Date.now() + patience;
  for (;;) {
    const logs = await logsOf(kubectl, selector);
    const told = ran.flatMap(({ pod, name }) => {
      const lines = parseListing(logs.get(`${nameOf(pod)}/${name}`) ?? "");
      return lines === undefined ? [] : [{ pod, name, lines }];
    });
    if (told.length === ran.length || Date.now() > end) return told;
    await setTimeout(500);
  }
}
