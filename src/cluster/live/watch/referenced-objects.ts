import { resolveAmong } from "../../../policy/trust/object-reference.ts";
import type { NamedReference, ObjectReference, ResolvedReference } from "../../../policy/trust/reference.ts";
import type { KubernetesObject } from "../../../kubernetes/object.ts";
import type { ClusterHooks, WatchedResource } from "../../cluster.ts";
import { ApiError, messageOf, type ApiClient } from "../api/client.ts";
import { reflectorDefaults, startReflector, type Reflector, type ReflectorTimes } from "./reflector.ts";

export interface ReferencedObjectsDeps {
  readonly client: ApiClient;
  readonly hooks: ClusterHooks;
  /** The controller's own namespace; undefined if not known: nothing is read then. */
  readonly namespace: string | undefined;
  readonly times?: ReflectorTimes | undefined;
  /** Milliseconds to wait for the first answer about an object before policies are compiled without it. */
  readonly patience?: number;
  /** Runs after each change of an object's content or failure. */
  readonly changed: () => void;
}

/** ConfigMaps and Secrets that trust roots refer to. */
export interface ReferencedObjects {
  /** Replaces the watched objects. Other kinds of references are ignored. */
  follow(references: readonly NamedReference[]): void;
  read(reference: ObjectReference): ResolvedReference;
  /** True while a newly watched object has not answered. */
  pending(): boolean;
  close(): Promise<void>;
}

type Kind = ObjectReference["kind"];

const resources = { ConfigMap: "configmaps", Secret: "secrets" } as const satisfies Record<
  Kind,
  WatchedResource
>;

/** Watched state of one object. */
interface WatchedObjectState {
  object: KubernetesObject | undefined;
  failure: string | undefined;
  synced: boolean;
  /** Too early to report it as missing. */
  pending: boolean;
}

/** One object, watched by name. */
interface Watched {
  readonly kind: Kind;
  readonly known: WatchedObjectState;
  readonly reflector: Reflector;
  readonly timer: NodeJS.Timeout;
}

/** Describes a failure, with the remedy. */
function failureOf(kind: Kind, called: string, error: unknown): string {
  const what = `${called} cannot be read: ${messageOf(error)}`;
  if (!(error instanceof ApiError) || error.status !== 403)
    return `${what}; see that the API server can be reached`;
  return kind === "Secret"
    ? `${what}; name it in the Helm value trust.secrets, or let the controller's ServiceAccount list and watch it`
    : `${what}; let the controller's ServiceAccount list and watch ConfigMaps of its namespace`;
}

function watchObject(
  { client, hooks, times = reflectorDefaults, patience = 2_000, changed }: ReferencedObjectsDeps,
  namespace: string,
  { kind, name }: Pick<ObjectReference, "kind" | "name">,
  onHealth: (lastSync: number | undefined) => void,
): Watched {
  // The reflector starts at once, before it can be named here.
  const known: WatchedObjectState = { object: undefined, failure: undefined, synced: false, pending: true };
  const settle = (): void => {
    known.pending = false;
    changed();
  };
  const called = `${kind} ${namespace}/${name}`;
  const target = {
    path: `/api/v1/namespaces/${namespace}/${resources[kind]}`,
    // Lets RBAC limit the permission to this name.
    fieldSelector: `metadata.name=${name}`,
    sink: {
      set: (_key: string, object: KubernetesObject) => void (known.object = object),
      delete: () => void (known.object = undefined),
      keys: () => (known.object === undefined ? [] : [`${namespace}/${name}`]),
      settled: () => {
        known.synced = true;
        settle();
      },
    },
    onState: (healthy: boolean, lastSync: number | undefined) => {
      if (healthy) known.failure = undefined;
      onHealth(lastSync);
    },
    onFailure: (error: unknown) => {
      known.failure = failureOf(kind, called, error);
      const held = known.synced ? "; what it held before stays in force" : "";
      hooks.onProblem(`${known.failure}${held}`);
      settle();
    },
  };
  const timer = setTimeout(settle, patience);
  timer.unref();
  return { kind, known, timer, reflector: startReflector(client, target, times) };
}

async function end({ timer, reflector }: Watched): Promise<void> {
  clearTimeout(timer);
  await reflector.close();
}

const keyOf = ({ kind, name }: Pick<ObjectReference, "kind" | "name">): string => `${kind}/${name}`;

/** Watches the objects that trust roots refer to, in the controller's own namespace, each by itself. */
export function createReferencedObjects(deps: ReferencedObjectsDeps): ReferencedObjects {
  const { namespace, hooks } = deps;
  const watched = new Map<string, Watched>();
  const ending = new Set<Promise<void>>();
  const tell = (kind: Kind, lastSync: number | undefined): void => {
    const all = [...watched.values()].filter((one) => one.kind === kind);
    hooks.onWatchState?.(
      resources[kind],
      all.every(({ reflector }) => reflector.healthy()),
      lastSync,
    );
  };
  const drop = (key: string, one: Watched): void => {
    watched.delete(key);
    const ended = end(one).finally(() => ending.delete(ended));
    ending.add(ended);
    tell(one.kind, undefined);
  };
  return {
    follow(references) {
      if (namespace === undefined) return;
      const wanted = new Map<string, ObjectReference>();
      for (const { reference } of references)
        if (reference.kind !== "TUF") wanted.set(keyOf(reference), reference);
      for (const [key, one] of watched) if (!wanted.has(key)) drop(key, one);
      for (const [key, reference] of wanted) {
        if (watched.has(key)) continue;
        watched.set(
          key,
          watchObject(deps, namespace, reference, (lastSync) => tell(reference.kind, lastSync)),
        );
        tell(reference.kind, undefined);
      }
    },
    read(reference) {
      const called = `${reference.kind} ${reference.name}`;
      if (namespace === undefined)
        return {
          fault: `${called} is in the controller's own namespace, which is not known; give --namespace`,
        };
      const known = watched.get(keyOf(reference))?.known;
      if (known?.synced === true)
        return resolveAmong(reference, known.object === undefined ? [] : [known.object], namespace);
      return { fault: known?.failure ?? `${called} is not read yet; wait a moment` };
    },
    pending: () => [...watched.values()].some(({ known }) => known.pending),
    close: async () => {
      for (const [key, one] of watched) drop(key, one);
      await Promise.all(ending);
    },
  };
}
