import { metadataOf, namespaceOf, uidOf, type KubernetesObject } from "../../../kubernetes/object.ts";
import { carrierOf } from "../../../workload/carriers/carriers.ts";
import { ownerOf, type ObjectReference } from "../../../workload/carriers/owner.ts";
import { ApiError, type ApiClient } from "./client.ts";
import { partialMetadata } from "./partial-metadata.ts";

/** Kinds that something else makes as a rule: what made them is asked for. */
const made: ReadonlySet<string> = new Set(["ReplicaSet", "Job"]);

/**
 * The top of the chain of owners, as far as it can be read: the Deployment of a ReplicaSet, the CronJob of a Job. Never
 * rejects.
 * @returns undefined if the owner does not exist: any pod may name one
 */
export async function topOwner(
  client: ApiClient,
  owner: ObjectReference,
  signal: AbortSignal,
): Promise<ObjectReference | undefined> {
  const { apiVersion, kind, name, namespace = "", uid } = owner;
  const carrier = carrierOf(apiVersion, kind);
  if (carrier === undefined || !made.has(kind)) return owner;
  // Not the version that the pod names: it may be any text.
  const path = `/apis/${carrier.group}/v1/namespaces/${encodeURIComponent(namespace)}/${carrier.resource}/${encodeURIComponent(name)}`;
  let found: KubernetesObject;
  try {
    found = await client.call({ path, signal, accept: partialMetadata });
  } catch (error) {
    return error instanceof ApiError && error.status === 404 ? undefined : owner;
  }
  if (uidOf(found) !== uid) return undefined;
  return ownerOf(metadataOf(found), namespaceOf(found, namespace)) ?? owner;
}
