import type { UnregisterOutcome, UnregisterRequest } from "../cli/command-line.ts";
import { unregister } from "../cluster/live/registration/unregister.ts";
import type { Environment } from "../environment.ts";
import { connected, named } from "./cluster-call.ts";

/**
 * Runs `unregister` with the defaults of the environment.
 * @throws UsageError
 */
export async function runUnregister(
  request: UnregisterRequest,
  env: Environment,
): Promise<UnregisterOutcome> {
  const target = {
    namespace: named("namespace", request.namespace, env["SKILL_ADMISSION_NAMESPACE"], env["POD_NAMESPACE"]),
    service: named("service", request.service, env["SKILL_ADMISSION_SERVICE"]),
    lease: named("lease", request.lease, env["SKILL_ADMISSION_LEASE"]),
  };
  const { server, client } = await connected(request, env);
  try {
    const result = await unregister(client, target, AbortSignal.timeout(request.seconds * 1000));
    return { server, namespace: target.namespace, lease: target.lease, result };
  } finally {
    client.close();
  }
}
