import type { CanaryOutcome, CanaryRequest } from "../cli/command-line.ts";
import { askCanary } from "../cluster/live/canary.ts";
import type { Environment } from "../environment.ts";
import { connected, named } from "./cluster-call.ts";

/** Name of the namespace, and of the ConfigMap with the unsigned skill, that the chart makes for this. */
const usualName = "skill-admission-canary";

/**
 * Runs `canary` with the defaults of the environment.
 * @throws UsageError
 */
export async function runCanary(request: CanaryRequest, env: Environment): Promise<CanaryOutcome> {
  const namespace = named("namespace", request.namespace, usualName);
  const configMap = named("config-map", request.configMap, usualName);
  const { server, client } = await connected(request, env);
  try {
    const signal = AbortSignal.timeout(request.seconds * 1000);
    return { server, namespace, ...(await askCanary(client, { namespace, configMap }, signal)) };
  } finally {
    client.close();
  }
}
