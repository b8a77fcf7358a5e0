import type { KubernetesObject } from "../../../kubernetes/object.ts";
import { decodeVolumeObject, describeRef } from "../../../kubernetes/volume-object.ts";
import type { VolumeObject, VolumeObjectRequest } from "../../../skill/source.ts";
import type { ApiClient } from "./client.ts";
import { maxValues, toSourceError } from "./volume-object-source.ts";

/**
 * Reads a ConfigMap as it was at a resource version, also one that has been replaced since: a list of one name with
 * `resourceVersionMatch=Exact` (Kubernetes API concepts, "Resource versions"). The API server has the versions of the last
 * five minutes at least.
 * @returns undefined if there was none
 * @throws SourceError
 */
export async function readVersion(
  client: ApiClient,
  request: VolumeObjectRequest,
  resourceVersion: string,
  signal: AbortSignal,
): Promise<VolumeObject | undefined> {
  const query = new URLSearchParams({
    fieldSelector: `metadata.name=${request.name}`,
    resourceVersion,
    resourceVersionMatch: "Exact",
  }).toString();
  const path = `/api/v1/namespaces/${encodeURIComponent(request.namespace)}/configmaps?${query}`;
  try {
    const [object] = ((await client.call({ path, signal, maxValues }))["items"] ??
      []) as readonly KubernetesObject[];
    return object === undefined ? undefined : decodeVolumeObject(object, request);
  } catch (error) {
    throw toSourceError(error, `${describeRef(request)} at version ${resourceVersion}`);
  }
}
