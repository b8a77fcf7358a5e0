import { ApiError, type ApiClient } from "../api/client.ts";

/** What stands for an installation that has no Service. */
export const withoutService = "none";

/**
 * Which installation this is: the uid of the Service that the webhook is reached by. It goes with the installation and
 * is another one after the next, unlike every name, and needs nothing to be kept.
 *
 * @throws ApiError where it cannot be learnt
 */
export async function readInstallation(
  client: ApiClient,
  namespace: string,
  service: string,
  signal: AbortSignal,
): Promise<string> {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/services/${encodeURIComponent(service)}`;
  try {
    const { uid } = (await client.call({ path, signal })).metadata as { readonly uid: string };
    return uid;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return withoutService;
    throw error;
  }
}

/** @throws ApiError where it cannot be learnt, as when the namespace is gone */
export async function readNamespace(
  client: ApiClient,
  name: string,
  signal: AbortSignal,
): Promise<{ readonly name: string; readonly uid: string }> {
  const { metadata } = await client.call({ path: `/api/v1/namespaces/${encodeURIComponent(name)}`, signal });
  return { name, uid: (metadata as { readonly uid: string }).uid };
}

interface EndpointSlice {
  readonly endpoints?: readonly { readonly conditions?: { readonly ready?: boolean } }[] | null;
}

/**
 * Is there a pod behind the Service that Kubernetes sends requests to.
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
  // Of an endpoint that says nothing of itself Kubernetes assumes that it is ready.
  return slices.some(({ endpoints }) =>
    (endpoints ?? []).some(({ conditions }) => conditions?.ready !== false),
  );
}
