import { watch, type FSWatcher } from "node:fs";
import { compileSnapshot, type CompiledSnapshot } from "../../policy/compile/snapshot.ts";
import { SourceError } from "../../skill/source-error.ts";
import { ownKinds } from "../../policy/resource/kinds.ts";
import { resolveAmong } from "../../policy/trust/object-reference.ts";
import { resolveNothing, type TrustReferenceResolver } from "../../policy/trust/reference.ts";
import type { Cluster, ClusterHooks, MirrorSource } from "../cluster.ts";
import { readFolder, rereadFolder, type FolderState } from "./folder-state.ts";
import type { PlacedObject } from "../../kubernetes/manifest-object.ts";
import { indexObjects, type ObjectIndex } from "./object-index.ts";

/** A cluster out of manifests. */
export interface OfflineCluster extends Cluster {
  /** Looks at the folder now rather than when its watch says so. */
  refresh(): Promise<void>;
}

/** How a folder is followed; times in milliseconds. */
export interface FollowOptions {
  /** Quiet time after which a change is read: an editor makes several in a row. */
  readonly debounce: number;
  /** Time between looks at the folder whatever its watch says: some file systems report nothing. */
  readonly resync: number;
}

const followDefaults: FollowOptions = { debounce: 100, resync: 10_000 };

interface Present {
  readonly index: ObjectIndex;
  readonly snapshot: CompiledSnapshot;
  /** What its references led to. */
  readonly told: string;
}

const sameObjects = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((object, at) => object === b[at]);

/** What references are resolved with. */
export interface OfflineOptions {
  readonly hooks: ClusterHooks;
  /** The controller's own; where it is left out, the one object of a name counts. */
  readonly namespace?: string | undefined;
  readonly mirrors?: MirrorSource | undefined;
}

const resolverOf =
  (index: ObjectIndex, { namespace, mirrors }: OfflineOptions): TrustReferenceResolver =>
  (reference) => {
    if (reference.kind === "TUF") return mirrors?.read(reference) ?? resolveNothing(reference);
    return resolveAmong(reference, index.named(reference.kind, reference.name), namespace);
  };

/** Do all references lead to what they led to when the snapshot was compiled. */
const sameResolution = ({ snapshot, told }: Present, resolve: TrustReferenceResolver): boolean =>
  JSON.stringify(snapshot.references.map(({ reference }) => resolve(reference))) === told;

function compiled(index: ObjectIndex, options: OfflineOptions, before?: Present): Present {
  // Objects of files that did not change are the same ones.
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
  mirrors?.follow(snapshot.references);
  const told = JSON.stringify(snapshot.references.map(({ reference }) => resolve(reference)));
  return { index, snapshot, told };
}

/** What throws rejects, as a failed read of a live cluster does. */
const attempt = <T>(work: () => T): Promise<T> => new Promise((resolve) => resolve(work()));

/** The questions that need no file system. */
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
 * A cluster out of objects that are in memory, as the command line reads them.
 * @throws ManifestError where they contradict one another
 */
export function offlineClusterOf(objects: readonly PlacedObject[], hooks: ClusterHooks): Cluster {
  const present = compiled(indexObjects(objects), { hooks });
  return { ...answers(() => present), readiness: () => [], close: () => Promise.resolve() };
}

/**
 * A cluster out of a folder of manifests, followed while it is edited. A file that stops making sense counts as it
 * last was, and readiness says so.
 * @throws ManifestError where the folder cannot be used as it is: a policy that cannot be read is not "no policy"
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
  // One at a time, so that an older look at the folder never replaces a newer one.
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

/** Calls `changed` after changes, and now and then without one. Returns what ends it. */
function followFolder(directory: string, changed: () => Promise<void>, options: FollowOptions): () => void {
  let pending: NodeJS.Timeout | undefined;
  let watcher: FSWatcher | undefined;
  const soon = () => {
    clearTimeout(pending);
    pending = setTimeout(look, options.debounce);
  };
  const look = () => {
    // Anew, and before looking: on Linux a recursive watch hears nothing more of a file that was replaced by another.
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

/** A watch that breaks, or cannot be had, leaves the resync, which is slower but misses nothing. */
function watchFolder(directory: string, onChange: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(directory, { recursive: true, persistent: false }, onChange);
    return watcher.on("error", () => watcher.close());
  } catch {
    return undefined;
  }
}
