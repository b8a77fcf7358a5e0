import { LRUCache } from "lru-cache";
import { SourceError } from "../../../skill/source-error.ts";
import type {
  SkillSource,
  VolumeObject,
  VolumeObjectRef,
  VolumeObjectRequest,
} from "../../../skill/source.ts";
import { decodeVolumeObject, describeRef, holdsKeys, identityOf } from "../../../kubernetes/volume-object.ts";
import { ApiError, messageOf, tooManyValues, type ApiClient } from "./client.ts";
import { partialMetadata } from "./partial-metadata.ts";

/** Default bytes of cached decoded objects. */
const defaultCacheBytes = 16 * 1024 * 1024;

/**
 * Values of one object: 50,000 keys take up to 0.1 s to read, in which nothing else is answered, and a skill has a fifth
 * of them at most.
 */
export const maxValues = 50_000;

const plurals = { ConfigMap: "configmaps", Secret: "secrets", Pod: "pods" } as const;

interface NamedObject {
  readonly kind: keyof typeof plurals;
  readonly namespace: string;
  readonly name: string;
}

/** Covers namespaces (DNS labels) and object names (DNS subdomains); nothing else may enter a URL. */
const namePattern = /^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/;

/**
 * Path of an object.
 * @throws SourceError SOURCE_MALFORMED
 */
export function pathOf(ref: NamedObject): string {
  if (!namePattern.test(ref.namespace) || !namePattern.test(ref.name) || ref.namespace.includes("."))
    throw new SourceError(
      "SOURCE_MALFORMED",
      `${JSON.stringify(`${ref.kind} ${ref.namespace}/${ref.name}`)} is not a name that Kubernetes allows`,
    );
  return `/api/v1/namespaces/${ref.namespace}/${plurals[ref.kind]}/${ref.name}`;
}

/** Turns any error of a request into one that reviews understand. */
export function toSourceError(error: unknown, what: string): SourceError {
  if (error instanceof SourceError) return error;
  if (error instanceof ApiError && error.reason === tooManyValues)
    return new SourceError(
      "LIMIT_EXCEEDED",
      `${what} is made of more than ${maxValues} values, mostly keys; split it`,
    );
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

/** Whether the API server says that there is no such object. */
export const isAbsent = (error: unknown): boolean =>
  error instanceof ApiError && error.status === 404 && error.reason === "NotFound";

/** Bytes of a decoded object in the cache, about. */
const sizeOf = ({ files }: VolumeObject): number =>
  [...files].reduce((sum, [key, file]) => sum + key.length * 2 + file.size + 200, 500);

/**
 * Decoded objects by path: the latest, as many as there is room for, and all that somebody still holds. So reviews that
 * need one object at once share it.
 */
class DecodedObjects {
  readonly #latest: LRUCache<string, VolumeObject>;
  readonly #held = new Map<string, WeakRef<VolumeObject>>();
  readonly #ended = new FinalizationRegistry<string>((path) => {
    if (this.#held.get(path)?.deref() === undefined) this.#held.delete(path);
  });

  constructor(maxSize: number) {
    this.#latest = new LRUCache({ maxSize, sizeCalculation: sizeOf });
  }

  get(path: string): VolumeObject | undefined {
    return this.#latest.get(path) ?? this.#held.get(path)?.deref();
  }

  set(path: string, object: VolumeObject): void {
    this.#latest.set(path, object);
    this.#held.set(path, new WeakRef(object));
    this.#ended.register(object, path);
  }

  delete(path: string): void {
    this.#latest.delete(path);
    this.#held.delete(path);
  }
}

/** Callbacks of the live source. */
export interface SourceHooks {
  /** `hit`: the cached content was still current. */
  readonly onCache?: (result: "hit" | "miss") => void;
}

/** Reads which version of an object is stored. */
export interface IdentitySource {
  /**
   * The object's identity by a consistent read; undefined if it does not exist.
   * @throws SourceError if the read failed
   */
  identify(ref: VolumeObjectRef, signal: AbortSignal): Promise<string | undefined>;
}

/**
 * Reads ConfigMaps and Secrets consistently: a GET without `resourceVersion` is answered from etcd's quorum
 * (Kubernetes API concepts, "Resource versions").
 *
 * For an object in the cache, or in another review's hands, only metadata is requested, which is a consistent read too. The whole object is read
 * if its identity differs, the answer has another form, or keys are requested that were not decoded.
 *
 * Simultaneous reads of one object are not joined: the earlier could predate the later review.
 */
export function createVolumeObjectSource(
  client: ApiClient,
  cacheBytes: number = defaultCacheBytes,
  hooks: SourceHooks = {},
): SkillSource & IdentitySource {
  const cache = new DecodedObjects(cacheBytes);
  const readWhole = async (
    path: string,
    request: VolumeObjectRequest,
    signal: AbortSignal,
  ): Promise<VolumeObject> => {
    const object = decodeVolumeObject(await client.call({ path, signal, maxValues }), request);
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
      const present = identityOf(await client.call({ path, signal, maxValues, accept: partialMetadata }));
      if (present === known.identity) {
        hooks.onCache?.("hit");
        return known;
      }
    }
    hooks.onCache?.("miss");
    return await readWhole(path, request, signal);
  };
  const unlessAbsent = async <T>(
    ref: VolumeObjectRef,
    work: (path: string) => Promise<T>,
  ): Promise<T | undefined> => {
    const path = pathOf(ref);
    try {
      return await work(path);
    } catch (error) {
      cache.delete(path);
      if (isAbsent(error)) return undefined;
      throw toSourceError(error, describeRef(ref));
    }
  };
  return {
    read: (request, signal) => unlessAbsent(request, (path) => readCached(path, request, signal)),
    identify: (ref, signal) =>
      unlessAbsent(ref, async (path) =>
        identityOf(await client.call({ path, signal, accept: partialMetadata })),
      ),
  };
}
