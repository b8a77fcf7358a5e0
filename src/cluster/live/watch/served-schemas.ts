import type { KubernetesObject } from "../../../kubernetes/object.ts";
import { unservedFields } from "../../../policy/resource/known-fields.ts";
import { group, ownKinds, ownResources, type OwnKind } from "../../../policy/resource/kinds.ts";
import { named } from "../../../policy/resource/lost-fields.ts";
import type { ClusterHooks } from "../../cluster.ts";
import { ApiError, messageOf, type ApiClient } from "../api/client.ts";
import { reflectorDefaults, startReflector, type Reflector, type ReflectorTimes } from "./reflector.ts";

export interface ServedSchemasDeps {
  readonly client: ApiClient;
  readonly hooks: ClusterHooks;
  readonly times?: ReflectorTimes | undefined;
  /** Runs after each change of an answer. */
  readonly changed: () => void;
}

/** The schemas by which the API server keeps the fields of our resources, or removes them. */
export interface ServedSchemas {
  /** A sentence for a kind whose served schema lacks fields that this version knows. */
  readonly behind: (kind: OwnKind) => string | undefined;
  /**
   * Sentences until all schemas were read, and found complete, once: a new replica that is ahead of the schema waits
   * for it, and leaves reviews to those before.
   */
  readonly missing: () => readonly string[];
  close(): Promise<void>;
}

const definitionOf = (kind: OwnKind): string => `${ownResources[kind].plural}.${group}`;

const remedy = "apply those of this version (kubectl apply --server-side -f manifests/crds)";

function failureOf(kind: OwnKind, error: unknown): string {
  const what = `the CustomResourceDefinition ${definitionOf(kind)} cannot be read: ${messageOf(error)}`;
  return error instanceof ApiError && error.status === 403
    ? `${what}; give the controller's ServiceAccount its ClusterRole`
    : `${what}; see that the API server can be reached`;
}

/** What is known of one kind's schema. */
interface Known {
  behind: string | undefined;
  /** Why it is not known; undefined as soon as it was read, whatever fails later. */
  unread: string | undefined;
}

function judged(kind: OwnKind, definition: KubernetesObject): string | undefined {
  const fields = unservedFields(kind, definition);
  if (fields.length === 0) return undefined;
  return `the CustomResourceDefinition ${definitionOf(kind)} is older than this version and removes ${named(fields)}; ${remedy}`;
}

/** Watches the CustomResourceDefinitions, each by its name, so that RBAC can limit the right to them. */
export function createServedSchemas(deps: ServedSchemasDeps): ServedSchemas {
  const { client, hooks, times = reflectorDefaults, changed } = deps;
  const known = new Map<OwnKind, Known>();
  const reflectors: Reflector[] = [];
  let wereComplete = false;
  const tell = (lastSync: number | undefined): void => {
    const healthy = reflectors.length > 0 && reflectors.every((reflector) => reflector.healthy());
    hooks.onWatchState?.("customresourcedefinitions", healthy, lastSync);
  };
  const learn = (kind: OwnKind, behind: string | undefined): void => {
    const before = known.get(kind);
    known.set(kind, { behind, unread: undefined });
    if (behind !== undefined && behind !== before?.behind) hooks.onProblem(behind);
    wereComplete ||= ownKinds.every((one) => {
      const schema = known.get(one);
      return schema?.unread === undefined && schema?.behind === undefined;
    });
    changed();
  };
  const start = (kind: OwnKind): void => {
    const name = definitionOf(kind);
    let definition: KubernetesObject | undefined;
    known.set(kind, { behind: undefined, unread: `the CustomResourceDefinition ${name} is not read yet` });
    const target = {
      path: "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
      fieldSelector: `metadata.name=${name}`,
      sink: {
        set: (_key: string, object: KubernetesObject) => void (definition = object),
        delete: () => void (definition = undefined),
        keys: () => (definition === undefined ? [] : [name]),
        // Without one there are no objects either, and the watch of these says so.
        settled: () => {
          if (definition !== undefined) learn(kind, judged(kind, definition));
        },
      },
      onState: (_healthy: boolean, lastSync: number | undefined) => tell(lastSync),
      onFailure: (error: unknown) => {
        const failure = failureOf(kind, error);
        const schema = known.get(kind);
        if (schema?.unread !== undefined) schema.unread = failure;
        hooks.onProblem(failure);
      },
    };
    reflectors.push(startReflector(client, target, times));
  };
  for (const kind of ownKinds) start(kind);
  tell(undefined);
  return {
    behind: (kind) => known.get(kind)?.behind,
    missing: () =>
      wereComplete
        ? []
        : [...known.values()]
            .map(({ unread, behind }) => unread ?? behind)
            .filter((one) => one !== undefined),
    close: async () => {
      await Promise.all(reflectors.map((reflector) => reflector.close()));
    },
  };
}
