import { setTimeout as sleep } from "node:timers/promises";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { ApiError, messageOf, type ApiClient } from "./api/client.ts";

/** What is asked about: a namespace, and a ConfigMap in it that holds a skill which nobody signed. */
export interface CanaryTarget {
  readonly namespace: string;
  readonly configMap: string;
}

export interface CanaryAnswer {
  readonly answer: "denied" | "admitted" | "unclear";
  /** The API server's words. */
  readonly said: string;
}

/** Milliseconds between two attempts: a policy and its registration are in force within seconds. */
const pause = 1_000;
const requestTimeout = 40_000;

/** A pod that Pod Security `restricted` lets in, and that needs nothing from its namespace. */
const podWith = (more: {
  readonly volumes: readonly object[];
  readonly volumeMounts: readonly object[];
}): object => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "skill-admission-canary" },
  spec: {
    automountServiceAccountToken: false,
    securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: "RuntimeDefault" } },
    containers: [
      {
        name: "agent",
        image: "localhost/never-pulled",
        resources: { requests: { cpu: "1m", memory: "1Mi" }, limits: { cpu: "1m", memory: "1Mi" } },
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
        volumeMounts: more.volumeMounts,
      },
    ],
    volumes: more.volumes,
  },
});

const plainPod = podWith({ volumes: [], volumeMounts: [] });

const skillPod = (name: string): object =>
  podWith({
    volumes: [{ name: "skill", configMap: { name } }],
    volumeMounts: [{ name: "skill", mountPath: "/skills/canary", readOnly: true }],
  });

/** Has the API server answer about a pod as if it were created. Nothing is stored. */
const tried = (
  client: ApiClient,
  namespace: string,
  pod: object,
  signal: AbortSignal,
): Promise<KubernetesObject> =>
  client.call({
    method: "POST",
    path: `/api/v1/namespaces/${namespace}/pods?dryRun=All`,
    body: pod,
    signal: AbortSignal.any([signal, AbortSignal.timeout(requestTimeout)]),
  });

/** By our webhook, because of the skill: not by another one, and not because ours could not be reached. */
const isDenial = (error: unknown): boolean =>
  error instanceof ApiError &&
  /admission webhook "[a-z.-]*skill-admission\.dev" denied the request: /.test(error.message) &&
  error.message.includes(" UNSIGNED");

async function attempt(client: ApiClient, target: CanaryTarget, signal: AbortSignal): Promise<CanaryAnswer> {
  const { namespace, configMap } = target;
  try {
    await tried(client, namespace, plainPod, signal);
  } catch (error) {
    return { answer: "unclear", said: `a pod without skills is refused, too: ${messageOf(error)}` };
  }
  try {
    await tried(client, namespace, skillPod(configMap), signal);
    return { answer: "admitted", said: "" };
  } catch (error) {
    return { answer: isDenial(error) ? "denied" : "unclear", said: messageOf(error) };
  }
}

/**
 * Tries whether a pod with an unsigned skill is denied where one without skills is let in, until it is or the signal
 * aborts: what was seen last counts then.
 */
export async function askCanary(
  client: ApiClient,
  target: CanaryTarget,
  signal: AbortSignal,
): Promise<CanaryAnswer> {
  let last: CanaryAnswer = { answer: "unclear", said: "the API server has not answered" };
  const isOver = (): boolean => signal.aborted;
  while (!isOver()) {
    const seen = await attempt(client, target, signal);
    if (seen.answer === "denied") return seen;
    // What the end itself cut off says nothing.
    if (!isOver()) last = seen;
    await sleep(pause, undefined, { signal }).catch(() => undefined);
  }
  return last;
}
