import { metadataOf, nameOf, namespaceOf, type KubernetesObject } from "../../../kubernetes/object.ts";
import type { StoredObjects, StoredVersion } from "../../../recheck/ports.ts";
import { messageOf, type ApiClient } from "../api/client.ts";
import {
  reflectorDefaults,
  startReflector,
  type ObjectSink,
  type ReflectorTarget,
  type ReflectorTimes,
} from "./reflector.ts";

/** A time in which versions may have been stored that no watch showed; milliseconds since 1970. */
export interface UnseenInterval {
  /** Absent where it is not known when somebody looked last. */
  readonly since?: number;
  readonly until: number;
}

export interface StoredObjectsDeps {
  readonly client: ApiClient;
  /** Namespaces about which the webhook is never asked. */
  readonly exempt: ReadonlySet<string>;
  readonly onProblem: (message: string) => void;
  /** Runs when both watches have begun, and when one had to begin anew. */
  readonly onUnseen: (interval: UnseenInterval) => void;
  /** When somebody looked last before this process did, milliseconds since 1970; undefined if that is not known. */
  readonly seenBefore: number | undefined;
  readonly times?: ReflectorTimes;
}

/** Objects per page: taking one in takes a tenth of a millisecond, and reviews wait for a page. */
const pageSize = 50;

const namespaceIn = (key: string): string => key.slice(0, key.indexOf("/"));

function versionOf(object: KubernetesObject): StoredVersion {
  const { resourceVersion } = metadataOf(object);
  return {
    ref: { kind: "ConfigMap", namespace: namespaceOf(object, ""), name: nameOf(object) },
    resourceVersion: typeof resourceVersion === "string" ? resourceVersion : "",
  };
}

/** Joins the two watches: what is unseen ends when both look. */
class Sight {
  readonly #deps: StoredObjectsDeps;
  readonly #begun = new Set<string>();
  readonly #seen = new Map<string, number>();

  constructor(deps: StoredObjectsDeps) {
    this.#deps = deps;
  }

  /** A watch has shown something. */
  looks(resource: string): void {
    this.#seen.set(resource, Date.now());
  }

  /** A watch has listed: versions that were stored before may have been missed. */
  listed(resource: string): void {
    const [since, isFirst] = [this.#seen.get(resource), !this.#begun.has(resource)];
    this.looks(resource);
    this.#begun.add(resource);
    if (!isFirst) this.#tell(since);
    else if (this.#begun.size === watched.length) this.#tell(this.#deps.seenBefore);
  }

  #tell(since: number | undefined): void {
    this.#deps.onUnseen({ ...(since === undefined ? {} : { since }), until: Date.now() });
  }
}

const watched = ["pods", "configmaps"] as const;

function podSink(sink: StoredObjects, { exempt }: StoredObjectsDeps, onListed: () => void): ObjectSink {
  return {
    set: (key, pod) => {
      if (!exempt.has(namespaceIn(key))) sink.podStored(key, pod);
    },
    delete: (key, pod) => sink.podGone(key, pod),
    keys: () => sink.podKeys(),
    settled: onListed,
  };
}

/** Only what the watch brings is a version by itself: what is listed is read when the pods that mount it are judged. */
function configMapSink(
  sink: StoredObjects,
  { exempt }: StoredObjectsDeps,
  isListing: () => boolean,
  onListed: () => void,
): ObjectSink {
  const isSeen = (key: string): boolean => !isListing() && !exempt.has(namespaceIn(key));
  return {
    set: (key, object) => {
      if (isSeen(key)) sink.configMapStored(versionOf(object));
    },
    delete: (key, object) => {
      if (object !== undefined && isSeen(key)) sink.configMapGone(versionOf(object));
    },
    keys: () => [],
    settled: onListed,
  };
}

/**
 * Follows what is stored: every pod, and the versions of every ConfigMap by their metadata alone. Their content passes
 * only where a pod mounts it, when it is judged.
 */
export function followStored(sink: StoredObjects, deps: StoredObjectsDeps): { close(): Promise<void> } {
  const sight = new Sight(deps);
  const listing = new Set<string>(watched);
  const start = (
    resource: (typeof watched)[number],
    target: Pick<ReflectorTarget, "sink" | "metadataOnly" | "pageSize">,
  ) =>
    startReflector(
      deps.client,
      {
        ...target,
        path: `/api/v1/${resource}`,
        onList: () => listing.add(resource),
        onState: () => undefined,
        onFailure: (error) =>
          deps.onProblem(
            `what is stored is not looked at: ${resource} are not watched: ${messageOf(error)}; give the controller's ServiceAccount its ClusterRole, or look at the API server`,
          ),
      },
      // Nothing is listed a second time unless it has to be: versions in between would not be seen.
      { ...(deps.times ?? reflectorDefaults), resync: Infinity },
    );
  /** Takes note that a watch has shown something, and calls back after a list. */
  const settled = (resource: (typeof watched)[number], onListed: () => void) => (): void => {
    if (!listing.delete(resource)) {
      sight.looks(resource);
      return;
    }
    sight.listed(resource);
    onListed();
  };
  const isListing = (): boolean => listing.has("configmaps");
  const pods = podSink(
    sink,
    deps,
    settled("pods", () => sink.listed()),
  );
  const configMaps = configMapSink(
    sink,
    deps,
    isListing,
    settled("configmaps", () => sink.missed()),
  );
  const reflectors = [
    start("configmaps", { sink: configMaps, metadataOnly: true }),
    start("pods", { sink: pods, pageSize }),
  ];
  return {
    close: async () => {
      await Promise.all(reflectors.map((one) => one.close()));
    },
  };
}
