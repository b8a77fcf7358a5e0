import { SourceError } from "../../../skill/source-error.ts";
import { labelsOf, type Labels } from "../../../kubernetes/object.ts";
import { ApiError, type ApiClient } from "./client.ts";
import { toSourceError } from "./volume-object-source.ts";

/**
 * Reads a namespace's labels, consistently (from etcd's quorum).
 * @throws SourceError SOURCE_UNAVAILABLE, also if there is no such namespace; TIMEOUT
 */
export async function readNamespaceLabels(
  client: ApiClient,
  name: string,
  signal: AbortSignal,
): Promise<Labels> {
  // A DNS label (RFC 1123); nothing else may enter a URL.
  if (!/^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/.test(name))
    throw new SourceError(
      "SOURCE_MALFORMED",
      `${JSON.stringify(name.slice(0, 64))} is no name of a Namespace`,
    );
  try {
    return labelsOf(await client.call({ path: `/api/v1/namespaces/${name}`, signal }));
  } catch (error) {
    if (error instanceof ApiError && error.status === 404)
      throw new SourceError("SOURCE_UNAVAILABLE", `there is no Namespace ${name}`, { cause: error });
    throw toSourceError(error, `Namespace ${name}`);
  }
}
