import { LRUCache } from "lru-cache";
import { SourceError } from "../../../skill/source-error.ts";
import type {
  SkillSource,
  VolumeObject,
  VolumeObjectRef,
  VolumeObjectRequest,
} from "../../../skill/source.ts";
import { decodeVolumeObject, describeRef, holdsKeys, identityOf } from "../../../kubernetes/volume-object.ts";
import { ApiError, messageOf, type ApiClient } from "./client.ts";

/** Bytes of decoded objects that are kept. */
const defaultCacheBytes = 16 * 1024 * 1024;

/** Only metadata in the answer: a few hundred bytes instead of up to 1 MiB, and nothing to decode. */
const metadataOnly = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io";

const plurals = { ConfigMap: "configmaps", Secret: "secrets" } as const;

/** Namespaces are DNS labels and these objects' names DNS subdomains; nothing else may get into a URL. */
const namePattern = /^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/;

function pathOf(ref: VolumeObjectRef): string {
  if (!namePattern.test(ref.namespace) || !namePattern.test(ref.name) || ref.namespace.includes("."))
    throw new SourceError(
      "SOURCE_MALFORMED",
      `${JSON.stringify(describeRef(ref))} is not a name that Kubernetes allows`,
    );
  return `/api/v1/namespaces/${ref.namespace}/${plurals[ref.kind]}/${ref.name}`;
}

/** Turns whatever a request threw into what reviews understand. */
export function toSourceError(error: unknown, what: string): SourceError {
  if (error instanceof SourceError) return error;
  if (error instanceof ApiError) {
    const remedy =
      error.status === 403
        ? "; allow the controller's ServiceAccount to read it"
        : "; try again, or look at the controller's log";
    return new SourceError("SOURCE_UNAVAILABLE", `${what} could not be read: ${error.message}${remedy}`, {
      cause: error,
    });
  }
  const name = error instanceof Error ? error.name : "";
  if (name === "TimeoutError" || name === "AbortError")
    return new SourceError("TIMEOUT", `${what} could not be read in time`, { cause: error });
  return new SourceError("SOURCE_UNAVAILABLE", `${what} could not be read: ${messageOf(error)}`, {
    cause: error,
  });
}

/** What the live source tells of itself. */
export interface SourceHooks {
  /** `hit`: the bytes of an earlier read were still the present ones. */
  readonly onCache?: (result: "hit" | "miss") => void;
}

/**
 * Reads ConfigMaps and Secrets by consistent reads: a GET without `resourceVersion` is answered from etcd's quorum
 * (Kubernetes API concepts, "Resource versions").
 *
 * An object that was read before is asked for its metadata only, which is a consistent read too. When its identity differs, or the
 * server answers with something else, the whole object is read; so it is where keys are asked for that were not decoded.
 *
 * Two reads of one object at the same time are not joined: the earlier could be older than the later review's start.
 */
export function createVolumeObjectSource(
  client: ApiClient,
  cacheBytes: number = defaultCacheBytes,
  hooks: SourceHooks = {},
): SkillSource {
  const cache = new LRUCache<string, VolumeObject>({
    maxSize: cacheBytes,
    sizeCalculation: (object) =>
      [...object.files].reduce((sum, [key, file]) => sum + key.length * 2 + file.size + 200, 500),
  });
  const readWhole = async (
    path: string,
    request: VolumeObjectRequest,
    signal: AbortSignal,
  ): Promise<VolumeObject> => {
    const object = decodeVolumeObject(await client.call({ path, signal }), request);
    if (object.identity === "")
      throw new SourceError(
        "SOURCE_MALFORMED",
        `${describeRef(request)}: the API server gave it no uid or resourceVersion`,
      );
    cache.set(path, object);
    return object;
  };
  const readCached = async (
    path: string,
    request: VolumeObjectRequest,
    signal: AbortSignal,
  ): Promise<VolumeObject> => {
    const known = cache.get(path);
    if (known !== undefined && holdsKeys(known, request)) {
      const present = identityOf(await client.call({ path, signal, accept: metadataOnly }));
      if (present === known.identity) {
        hooks.onCache?.("hit");
        return known;
      }
    }
    hooks.onCache?.("miss");
    return await readWhole(path, request, signal);
  };
  return {
    read: async (request, signal) => {
      const path = pathOf(request);
      try {
        return await readCached(path, request, signal);
      } catch (error) {
        cache.delete(path);
        if (error instanceof ApiError && error.status === 404 && error.reason === "NotFound")
          return undefined;
        throw toSourceError(error, describeRef(request));
      }
    },
  };
}
