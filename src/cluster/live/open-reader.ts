import type { ClusterAddress, Exemptions, LiveReader, PodPage } from "../../evaluation/live-reader.ts";
import { metadataOf, namespaceOf, type KubernetesObject, type Labels } from "../../kubernetes/object.ts";
import { describeRef } from "../../kubernetes/volume-object.ts";
import {
  collectionPath,
  forEachKind,
  ownKinds,
  ownResources,
  type OwnKind,
} from "../../policy/resource/kinds.ts";
import { SourceError } from "../../skill/source-error.ts";
import { ApiError, createApiClient, messageOf, type ApiClient } from "./api/client.ts";
import { connectByKubeconfig } from "./api/connection.ts";
import { readNamespaceLabels } from "./api/namespace-labels.ts";
import { pagesOf, type PagedList } from "./api/pages.ts";
import { createVolumeObjectSource, toSourceError } from "./api/volume-object-source.ts";
import { webhookConfigurations } from "./registration/apply.ts";
import { registeredScope } from "./registration/registered-scope.ts";
import { exemptNamespaces } from "./registration/scope.ts";
import { webhookConfigurationName } from "./registration/webhook-configuration.ts";

/** Objects per page: each may have 1.5 MiB. */
const pageSize = 100;

/** The API server's refusal with what to do: short, because tables cut findings. */
function reasonOf({ status, message }: ApiError): string {
  if (status === 403) {
    const [, who = message] = /\bis forbidden: (.*)$/s.exec(message) ?? [];
    return `${who}; grant that right (docs/cli.md has a ClusterRole)`;
  }
  return status === 401
    ? `${message}; renew the credentials in the kubeconfig`
    : `${message}; see that the API server can be reached, and try again`;
}

/** The error of a read with the remedy for a person: that of the webhook speaks of its ServiceAccount and its log. */
function explained(error: unknown, what: string): SourceError {
  const cause = error instanceof SourceError ? error.cause : error;
  if (!(cause instanceof ApiError) || (error instanceof SourceError && cause.status === 404))
    return toSourceError(error, what);
  return new SourceError("SOURCE_UNAVAILABLE", `${what} could not be read: ${reasonOf(cause)}`, { cause });
}

const explaining = <T>(what: string, reading: Promise<T>): Promise<T> =>
  reading.catch((error: unknown) => {
    throw explained(error, what);
  });

/** Objects of a kind. One that the API server does not know is not installed: that is not "no policy". */
async function ownObjects(client: ApiClient, kind: OwnKind): Promise<readonly KubernetesObject[]> {
  const found: KubernetesObject[] = [];
  try {
    for await (const { items } of pagesOf(client, { path: collectionPath(kind), limit: pageSize }))
      found.push(...items);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404)
      throw explained(error, `the ${ownResources[kind].plural}`);
    throw new SourceError(
      "SOURCE_UNAVAILABLE",
      `the cluster knows no ${kind}: Skill Admission is not installed there; give policies, trust roots and lists by --policy, or name another cluster`,
      { cause: error },
    );
  }
  return found;
}

async function* listPods(
  client: ApiClient,
  namespace: string | undefined,
  isAsked: (namespace: string) => Promise<boolean>,
): AsyncGenerator<PodPage> {
  const within = namespace === undefined ? "" : `/namespaces/${encodeURIComponent(namespace)}`;
  const list: PagedList = { path: `/api/v1${within}/pods`, limit: pageSize, acrossVersions: true };
  try {
    for await (const { items, list: page } of pagesOf(client, list)) {
      const { remainingItemCount } = metadataOf(page);
      const remaining = typeof remainingItemCount === "number" ? remainingItemCount : undefined;
      // Items of a list carry no apiVersion and kind.
      const pods = items.map((pod) => ({ ...pod, apiVersion: "v1", kind: "Pod" }));
      if (namespace !== undefined) yield { pods, remaining };
      else {
        const homes = new Set(pods.map((pod) => namespaceOf(pod, "")));
        const asked = new Set<string>();
        for (const home of homes) if (await isAsked(home)) asked.add(home);
        yield { pods: pods.filter((pod) => asked.has(namespaceOf(pod, ""))), remaining };
      }
    }
  } catch (error) {
    throw explained(error, namespace === undefined ? "the pods" : `the pods of the Namespace ${namespace}`);
  }
}

/** Labels by namespace, each read once: one call of a command sees every pod of a namespace under the same policies. */
function rememberLabels(client: ApiClient): LiveReader["namespaceLabels"] {
  const known = new Map<string, Labels>();
  return async (name, signal) => {
    const labels =
      known.get(name) ?? (await explaining(`Namespace ${name}`, readNamespaceLabels(client, name, signal)));
    known.set(name, labels);
    return labels;
  };
}

/** Milliseconds to read the registration, or the labels of a namespace. */
const requestTimeout = 30_000;

/** The exemptions of the registered webhook, else those of every installation. */
async function readExemptions(client: ApiClient, controllerNamespace: string): Promise<Exemptions> {
  const path = `${webhookConfigurations}/${webhookConfigurationName}`;
  const names = new Set(exemptNamespaces({ controllerNamespace }));
  try {
    const found = await client.call({ path, signal: AbortSignal.timeout(requestTimeout) });
    return registeredScope(found) ?? { names, unknown: "an older version registered the webhook" };
  } catch (error) {
    if (error instanceof ApiError && error.status === 404)
      return { names, unknown: "no webhook is registered there" };
    return {
      names,
      unknown: error instanceof ApiError ? reasonOf(error) : `its registration ${messageOf(error)}`,
    };
  }
}

/** What can be read through a client. Closing it closes the client. */
export function readerOf(client: ApiClient, controllerNamespace: string): LiveReader {
  const source = createVolumeObjectSource(client);
  let exempt: Promise<Exemptions> | undefined;
  const exemptions = (): Promise<Exemptions> => (exempt ??= readExemptions(client, controllerNamespace));
  const namespaceLabels = rememberLabels(client);
  const isAsked = async (namespace: string): Promise<boolean> => {
    const { names, reviews } = await exemptions();
    if (names.has(namespace)) return false;
    if (reviews === undefined) return true;
    try {
      return reviews(await namespaceLabels(namespace, AbortSignal.timeout(requestTimeout)));
    } catch (error) {
      // Its pods are listed as not judged, for the same reason, and do not end the list.
      if (error instanceof SourceError) return true;
      throw error;
    }
  };
  return {
    read: (request, signal) => explaining(describeRef(request), source.read(request, signal)),
    namespaceLabels,
    policyObjects: async () => {
      const found = new Map<OwnKind, readonly KubernetesObject[]>();
      for (const kind of ownKinds) found.set(kind, await ownObjects(client, kind));
      return forEachKind((kind) => found.get(kind) ?? []);
    },
    exemptions,
    podPages: (namespace) => listPods(client, namespace, isAsked),
    close: () => {
      client.close();
      return Promise.resolve();
    },
  };
}

/**
 * Reads from the cluster of a kubeconfig, with the permissions of its user.
 * @throws Error if there is none, or it names no cluster
 */
export async function openReader({
  kubeconfig,
  context,
  controllerNamespace,
}: ClusterAddress): Promise<LiveReader> {
  return readerOf(createApiClient(await connectByKubeconfig(kubeconfig, context)), controllerNamespace);
}
