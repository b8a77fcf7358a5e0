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

const own = "/apis/skill-admission.dev/v1alpha1";

/** Where objects are of the kinds that are the product's own. */
const ownCollections: Readonly<Record<string, string>> = {
  ClusterSkillPolicy: `${own}/clusterskillpolicies`,
  SkillTrustRoot: `${own}/skilltrustroots`,
  SkillRevocationList: `${own}/skillrevocationlists`,
};
const collections: Readonly<Record<string, string>> = {
  ...ownCollections,
  Namespace: "/api/v1/namespaces",
};

interface Named {
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

/** Where this object is, of a kind that is in no namespace. */
export const pathOf = (object: Part): string => {
  const { kind, metadata } = object as unknown as Named;
  const collection = collections[kind];
  if (collection === undefined) throw new Error(`it is not known where objects of kind ${kind} are`);
  return `${collection}/${metadata.name}`;
};

/** Puts an object in place as it is written, whatever was there. */
export const put = (object: Part): Promise<Part> =>
  api(`${pathOf(object)}?fieldManager=tests&force=true`, {
    method: "PATCH",
    contentType: "application/apply-patch+yaml",
    body: object,
  });

/** Removes every policy, trust root and revocation list. */
export async function removeOwn(): Promise<void> {
  await Promise.all(Object.values(ownCollections).map(remove));
}
