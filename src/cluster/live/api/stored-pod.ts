import type { KubernetesObject } from "../../../kubernetes/object.ts";
import type { ApiClient } from "./client.ts";
import { isAbsent, maxValues, pathOf, toSourceError } from "./volume-object-source.ts";

/**
 * Reads a pod, consistently (from etcd's quorum); undefined: there is none.
 * @throws SourceError
 */
export async function readStoredPod(
  client: ApiClient,
  namespace: string,
  name: string,
  signal: AbortSignal,
): Promise<KubernetesObject | undefined> {
  const path = pathOf({ kind: "Pod", namespace, name });
  try {
    return await client.call({ path, signal, maxValues });
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw toSourceError(error, `Pod ${namespace}/${name}`);
  }
}
