import { watch, type FSWatcher } from "node:fs";
import { compileSnapshot, type CompiledSnapshot } from "../../policy/compile/snapshot.ts";
import { SourceError } from "../../skill/source-error.ts";
import { ownKinds } from "../../policy/resource/kinds.ts";
import { resolveAmong } from "../../policy/trust/object-reference.ts";
import { resolveNothing, type TrustReferenceResolver } from "../../policy/trust/reference.ts";
import type { InForce } from "../../policy/changes/resource-changes.ts";
import type { Cluster, ClusterHooks, MirrorSource } from "../cluster.ts";
import { tellChanges } from "../tell-changes.ts";
import { readFolder, rereadFolder, type FolderState } from "./folder-state.ts";
import type { PlacedObject } from "../../kubernetes/manifest-object.ts";
import { indexObjects, type ObjectIndex } from "./object-index.ts";

/** A cluster made of manifests. */
export interface OfflineCluster extends Cluster {
  /** Reads the folder now, without waiting for the watch. */
  refresh(): Promise<void>;
}

/** Timing of the watch on a folder, milliseconds. */
export interface FollowOptions {
  /** Quiet time before a change is read: an editor saves several times in a row. */
  readonly debounce: number;
  /** Longest time between reads: some file systems report no changes. */
  readonly resync: number;
}

const followDefaults: FollowOptions = { debounce: 100, resync: 10_000 };

interface Present {
  readonly index: ObjectIndex;
  readonly snapshot: CompiledSnapshot;
  /** Results of the snapshot's references, as JSON. */
  readonly told: string;
  readonly inForce: InForce;
}

const sameObjects = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((object, at) => object === b[at]);

/** Settings by which references are resolved. */
export interface OfflineOptions {
  readonly hooks: ClusterHooks;
  /** The controller's own; absent: the one object of a name counts. */
  readonly namespace?: string | undefined;
  readonly mirrors?: MirrorSource | undefined;
}

const resolverOf =
  (index: ObjectIndex, { namespace, mirrors }: OfflineOptions): TrustReferenceResolver =>
  (reference) => {
    if (reference.kind === "TUF") return mirrors?.read(reference) ?? resolveNothing(reference);
    return resolveAmong(reference, index.named(reference.kind, reference.name), namespace);
  };

/** True if all references still resolve to the results that the snapshot was compiled with. */
const sameResolution = ({ snapshot, told }: Present, resolve: TrustReferenceResolver): boolean =>
  JSON.stringify(snapshot.references.map(({ reference }) => resolve(reference))) === told;

function compiled(index: ObjectIndex, options: OfflineOptions, before?: Present): Present {
  // Unchanged files keep their objects: identity is enough.
  const resolve = resolverOf(index, options);
  if (
    before !== undefined &&
    ownKinds.every((kind) => sameObjects(index.own[kind], before.index.own[kind])) &&
    sameResolution(before, resolve)
  )
    return { ...before, index };
  const snapshot = compileSnapshot(index.own, { previous: before?.snapshot.trust, resolve });
  const { hooks, mirrors } = options;
  const known = new Set(before?.snapshot.problems.map((problem) => JSON.stringify(problem)));
  for (const problem of snapshot.problems) {
    if (!known.has(JSON.stringify(problem)))
      hooks.onProblem(`${problem.kind} ${problem.name}: ${problem.message}`);
  }
  hooks.onPolicies?.(snapshot);
  const inForce = { objects: index.own, policies: snapshot.policies, trust: snapshot.trust.version };
  // A folder's policies choose namespaces by manifests, which nobody changes labels of to get round them.
  tellChanges(before?.inForce, inForce, new Map(), hooks);
  mirrors?.follow(snapshot.references);
  const told = JSON.stringify(snapshot.references.map(({ reference }) => resolve(reference)));
  return { index, snapshot, told, inForce };
}

/** Turns a throw into a rejection, as with a live cluster. */
const attempt = <T>(work: () => T): Promise<T> => new Promise((resolve) => resolve(work()));

/** The part of a cluster that needs no file system. */
const answers = (present: () => Present): Omit<Cluster, "readiness" | "close"> => ({
  current: () => present().snapshot,
  podsUsing: (ref) => present().index.pods.using(ref),
  read: (ref) => attempt(() => present().index.read(ref)),
  namespaceLabels: (name) =>
    attempt(() => {
      const labels = present().index.namespaceLabels(name);
      if (labels !== undefined) return labels;
      throw new SourceError(
        "SOURCE_UNAVAILABLE",
        `there is no Namespace ${name}, so its policies are not known; add its manifest`,
      );
    }),
});

/**
 * A cluster of objects in memory, for the command line.
 * @throws ManifestError where two objects contradict each other
 */
export function offlineClusterOf(objects: readonly PlacedObject[], hooks: ClusterHooks): Cluster {
  const present = compiled(indexObjects(objects), { hooks });
  return { ...answers(() => present), readiness: () => [], close: () => Promise.resolve() };
}

/**
 * A cluster of a folder of manifests, followed while it is edited. A file that becomes unreadable keeps its last
 * objects, and readiness names it.
 * @throws ManifestError where the folder cannot be used: an unreadable policy is not "no policy"
 */
export async function openOfflineCluster(
  directory: string,
  options: OfflineOptions,
  follow: FollowOptions = followDefaults,
): Promise<OfflineCluster> {
  const { hooks, mirrors } = options;
  let state: FolderState = await readFolder(directory);
  let present = compiled(state.index, options);
  const refreshOnce = async (): Promise<void> => {
    const next = await rereadFolder(directory, state);
    for (const problem of next.problems) {
      if (!state.problems.includes(problem))
        hooks.onProblem(`${problem}; what it held before stays in force`);
    }
    if (next.index !== state.index) present = compiled(next.index, options, present);
    state = next;
  };
  mirrors?.onChange(() => {
    present = compiled(state.index, options, present);
  });
  // Reads run one at a time: an older state of the folder must not replace a newer one.
  let last = Promise.resolve();
  const refresh = (): Promise<void> => {
    last = last
      .then(refreshOnce)
      .catch((error: unknown) => hooks.onProblem(`${directory}: ${String(error)}`));
    return last;
  };
  const stop = followFolder(directory, refresh, follow);
  return {
    ...answers(() => present),
    readiness: () => state.problems,
    refresh,
    close: async () => {
      stop();
      await last;
    },
  };
}

/** Calls `changed` after changes and at every resync. Returns the function that stops it. */
function followFolder(directory: string, changed: () => Promise<void>, options: FollowOptions): () => void {
  let pending: NodeJS.Timeout | undefined;
  let watcher: FSWatcher | undefined;
  const soon = () => {
    clearTimeout(pending);
    pending = setTimeout(look, options.debounce);
  };
  const look = () => {
    // The watch is renewed before the read: on Linux a recursive watch loses a file that is replaced by another.
    watcher?.close();
    watcher = watchFolder(directory, soon);
    void changed();
  };
  const resync = setInterval(() => void changed(), options.resync);
  resync.unref();
  watcher = watchFolder(directory, soon);
  return () => {
    clearTimeout(pending);
    clearInterval(resync);
    watcher?.close();
  };
}

/** A watch that fails leaves the resync: slower, but complete. */
function watchFolder(directory: string, onChange: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(directory, { recursive: true, persistent: false }, onChange);
    return watcher.on("error", () => watcher.close());
  } catch {
    return undefined;
  }
}
