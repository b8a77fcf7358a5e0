import { defined } from "../../../text/fields.ts";
import { metadataOf, type KubernetesObject } from "../../../kubernetes/object.ts";
import { ApiError, tooManyBytes, type ApiClient } from "./client.ts";
import { partialMetadataList } from "./partial-metadata.ts";

/** Time limit of a page, milliseconds. */
const pageTimeout = 60_000;

/** Bytes of a page of several objects: reading it takes several times as much memory. */
const pageBytes = 8 * 1024 * 1024;

/** A collection to list. */
export interface PagedList {
  /** Path of the collection, `/api/v1/pods`. */
  readonly path: string;
  readonly fieldSelector?: string;
  /** Lists metadata only. */
  readonly metadataOnly?: true;
  /** Objects per page, as long as they are not too large together: of large ones fewer are asked for. */
  readonly limit: number;
  /**
   * Goes on where the list's version has expired, with newer objects from there on: the pages are then of two moments.
   * Otherwise the list ends with the error.
   */
  readonly acrossVersions?: true;
}

/** One page of a list, as received. */
export interface ListPage {
  readonly items: readonly KubernetesObject[];
  readonly list: KubernetesObject;
}

function textIn(list: KubernetesObject, field: string): string {
  const value = metadataOf(list)[field];
  return typeof value === "string" ? value : "";
}

/** Where a list goes on. */
interface Place {
  /** Empty for the first page; undefined behind the last. */
  readonly token: string | undefined;
  /** Objects that are asked for. */
  readonly size: number;
}

/** Where a list goes on after a page that was refused. @throws the refusal if it goes on nowhere */
function afterRefusal(error: unknown, { token, size }: Place, acrossVersions: boolean): Place {
  if (!(error instanceof ApiError)) throw error;
  if (size > 1 && error.reason === tooManyBytes) return { token, size: Math.max(1, Math.floor(size / 4)) };
  // The API server keeps versions for five minutes; with the refusal it says how to go on.
  const next = acrossVersions ? error.continuation : undefined;
  if (next === undefined || next === token) throw error;
  return { token: next, size };
}

/**
 * Lists a collection page by page: each is requested after the one before is dealt with.
 * @throws ApiError
 */
export async function* pagesOf(
  client: ApiClient,
  { path, fieldSelector, metadataOnly, limit, acrossVersions }: PagedList,
  signal?: AbortSignal,
): AsyncGenerator<ListPage> {
  let place: Place = { token: "", size: limit };
  while (place.token !== undefined) {
    const { token, size }: Place = place;
    const more = token === "" ? {} : { continue: token };
    const asked = { ...defined({ fieldSelector }), limit: String(size), ...more };
    const query = new URLSearchParams(asked).toString();
    const timeout = AbortSignal.timeout(pageTimeout);
    let list: KubernetesObject;
    try {
      list = await client.call({
        path: `${path}?${query}`,
        ...(size > 1 ? { maxBytes: pageBytes } : {}),
        ...(metadataOnly ? { accept: partialMetadataList } : {}),
        signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      });
    } catch (error) {
      place = afterRefusal(error, place, acrossVersions === true);
      continue;
    }
    const items = list["items"] ?? [];
    if (!Array.isArray(items)) throw new ApiError(0, `${path}: the list has no items`);
    yield { items: items as readonly KubernetesObject[], list };
    place = { token: textIn(list, "continue") || undefined, size };
  }
}
