import { ApiError, createApiClient, type ApiRequest } from "../../../src/cluster/live/api/client.ts";
import { connectByKubeconfig } from "../../../src/cluster/live/api/connection.ts";
import { kubeconfig } from "./opened.ts";

/** An object, or a part of one. */
export type Part = Readonly<Record<string, unknown>>;

const client = createApiClient(await connectByKubeconfig(kubeconfig));

/**
 * Asks the API server as its administrator: for set-up and for looking, of which kubectl would be a process each. Where
 * kubectl's words or ways are what a test is about, `kubectl` is right.
 * @throws ApiError
 */
export const api = <T = Part>(path: string, how: Omit<ApiRequest, "path" | "signal"> = {}): Promise<T> =>
  client.call({ path, ...how, signal: AbortSignal.timeout(20_000) }) as Promise<unknown> as Promise<T>;

const notFound = (error: unknown): undefined => {
  if (error instanceof ApiError && error.status === 404) return undefined;
  throw error as Error;
};

/** What is at the path; undefined where nothing is. */
export const find = <T = Part>(path: string): Promise<T | undefined> => api<T>(path).catch(notFound);

/** Deletes what is at the path, one object or all of a kind, if there is any. */
export async function remove(path: string): Promise<void> {
  await api(path, { method: "DELETE" }).catch(notFound);
}

interface Named {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/** Where this object is. */
export const pathOf = (object: Part): string => {
  const { apiVersion, kind, metadata } = object as unknown as Named;
  const group = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const space = metadata.namespace === undefined ? "" : `/namespaces/${metadata.namespace}`;
  const plural = `${kind.toLowerCase().replace(/y$/, "ie")}s`;
  return `${group}${space}/${plural}/${metadata.name}`;
};

/** Puts an object in place as it is written, whatever was there. */
export const put = (object: Part): Promise<Part> =>
  api(`${pathOf(object)}?fieldManager=tests&force=true`, {
    method: "PATCH",
    contentType: "application/apply-patch+yaml",
    body: object,
  });

/** Changes what is at the path: members of the change replace those that are there, and null removes them. */
export const patch = <T = Part>(path: string, change: Part): Promise<T> =>
  api<T>(path, { method: "PATCH", contentType: "application/merge-patch+json", body: change });

/** Where the product's own objects of a kind are, by its plural, or the one of this name. */
export const ownPath = (plural: string, name = ""): string =>
  `/apis/skill-admission.dev/v1alpha1/${plural}${name === "" ? "" : `/${name}`}`;

/** Removes every policy, trust root and revocation list. */
export async function removeOwn(): Promise<void> {
  const kinds = ["clusterskillpolicies", "skilltrustroots", "skillrevocationlists"];
  await Promise.all(kinds.map((plural) => remove(ownPath(plural))));
}
