import { UsageError, type ClusterCall } from "../cli/command-line.ts";
import { messageOf } from "../cluster/live/api/client.ts";
import { connectToUnregister, type UnregisterConnection } from "../cluster/live/registration/unregister.ts";
import type { Environment } from "../environment.ts";
import { label } from "../option-values.ts";

/** Default name of namespace, Service and Lease. */
const usualName = "skill-admission";

/**
 * The first value that is given.
 * @throws UsageError where it is no Kubernetes name
 */
export function named(flag: string, ...values: readonly (string | undefined)[]): string {
  const found = values.find((value) => value !== undefined && value !== "") ?? usualName;
  if (label.safeParse(found).success) return found;
  throw new UsageError(`--${flag} ${JSON.stringify(found.slice(0, 100))} must be a Kubernetes name`);
}

/**
 * The cluster of a call.
 * @throws UsageError
 */
export async function connected(
  { inCluster, kubeconfig }: ClusterCall,
  env: Environment,
): Promise<UnregisterConnection> {
  const host = env["KUBERNETES_SERVICE_HOST"];
  if (inCluster && !host)
    throw new UsageError("--in-cluster: this is no pod", "Leave it out, or give --kubeconfig FILE.");
  try {
    return await connectToUnregister(
      inCluster && host ? { host, port: env["KUBERNETES_SERVICE_PORT"] ?? "443" } : { kubeconfig },
    );
  } catch (cause) {
    throw new UsageError(messageOf(cause), undefined, { cause });
  }
}
