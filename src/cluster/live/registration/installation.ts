import { uidOf } from "../../../kubernetes/object.ts";
import { ApiError, type ApiClient } from "../api/client.ts";

/** Stands for an installation without a Service. */
export const withoutService = "none";

/**
 * Identity of this installation: the uid of the webhook's Service. It ends with the installation and is never
 * reused, unlike a name, and needs no storage.
 * @throws ApiError if it cannot be read
 */
export async function readInstallation(
  client: ApiClient,
  namespace: string,
  service: string,
  signal: AbortSignal,
): Promise<string> {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/services/${encodeURIComponent(service)}`;
  try {
    return uidOf(await client.call({ path, signal }));
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return withoutService;
    throw error;
  }
}

/** @throws ApiError if it cannot be read, for example because the namespace is gone */
export async function readNamespace(
  client: ApiClient,
  name: string,
  signal: AbortSignal,
): Promise<{ readonly name: string; readonly uid: string }> {
  const path = `/api/v1/namespaces/${encodeURIComponent(name)}`;
  return { name, uid: uidOf(await client.call({ path, signal })) };
}

interface EndpointSlice {
  readonly endpoints?: readonly { readonly conditions?: { readonly ready?: boolean } }[] | null;
}

/**
 * True if the Service has a ready endpoint.
 * @throws ApiError
 */
export async function hasReadyEndpoint(
  client: ApiClient,
  namespace: string,
  service: string,
  signal: AbortSignal,
): Promise<boolean> {
  const query = new URLSearchParams({ labelSelector: `kubernetes.io/service-name=${service}` }).toString();
  const path = `/apis/discovery.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/endpointslices?${query}`;
  const slices = ((await client.call({ path, signal }))["items"] ?? []) as readonly EndpointSlice[];
  // Kubernetes treats an endpoint without conditions as ready.
  return slices.some(({ endpoints }) =>
    (endpoints ?? []).some(({ conditions }) => conditions?.ready !== false),
  );
}
