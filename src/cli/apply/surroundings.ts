import type { ClusterView } from "../../evaluation/cluster-view.ts";
import type { PlacedObject } from "../../kubernetes/manifest-object.ts";
import { metadataOf, namespaceOf } from "../../kubernetes/object.ts";
import type { PolicySnapshot } from "../../policy/policy.ts";
import { SourceError } from "../../skill/source-error.ts";
import { volumeObjectKinds, type SkillSource } from "../../skill/source.ts";
import { UsageError, type CommandLine } from "../command-line.ts";
import type { ClusterReader } from "../../evaluation/live-reader.ts";
import type { Manifest } from "../files/manifests.ts";

/** Kinds that pods refer to; they make none themselves. */
export const surroundings: ReadonlySet<unknown> = new Set([...volumeObjectKinds, "Namespace"]);

/** Objects of the files that pods refer to. */
function placed(manifests: readonly Manifest[], namespace: string): readonly PlacedObject[] {
  return manifests.flatMap((manifest) => {
    const { object, file } = manifest;
    const { name } = metadataOf(object);
    if (object.apiVersion !== "v1" || !surroundings.has(object.kind)) return [];
    const kind = String(object.kind);
    if (typeof name !== "string")
      throw new UsageError(`${file}: a ${kind} has no metadata.name`, "give it one");
    const home = kind === "Namespace" ? undefined : namespaceOf(object, namespace);
    return [{ file, entry: { apiVersion: "v1", kind, name, namespace: home, object } }];
  });
}

/**
 * A cluster of the ConfigMaps, Secrets and Namespaces among the files.
 * @throws UsageError where they contradict each other
 */
export async function openFiles(
  manifests: readonly Manifest[],
  namespace: string,
  line: CommandLine,
): Promise<ClusterReader> {
  const objects = placed(manifests, namespace);
  try {
    return await line.openOffline(objects);
  } catch (cause) {
    if (!(cause instanceof Error) || cause.name !== "ManifestError") throw cause;
    throw new UsageError(cause.message, "correct the files", { cause });
  }
}

/** Files first, then the cluster: a file that is about to be applied is newer than the cluster's object. */
export function layered(files: ClusterReader, live: ClusterReader | undefined): SkillSource {
  return {
    read: async (ref, signal) => (await files.read(ref, signal)) ?? (await live?.read(ref, signal)),
  };
}

/**
 * Labels of a namespace from the files, else from the cluster. Where neither has them, only the name is known: enough
 * if every policy governs the namespace by that alone, because any other label could decide otherwise.
 */
export function namespaceView(
  files: ClusterReader,
  live: ClusterReader | undefined,
  { policies }: PolicySnapshot,
): ClusterView {
  return {
    podsUsing: () => [],
    async namespaceLabels(name, signal) {
      try {
        return await files.namespaceLabels(name, signal);
      } catch (cause) {
        if (!(cause instanceof SourceError)) throw cause;
        if (live !== undefined) return live.namespaceLabels(name, signal);
        const labels = { "kubernetes.io/metadata.name": name };
        if (policies.every((policy) => policy.appliesTo(name, labels))) return labels;
        throw new SourceError(
          "SOURCE_UNAVAILABLE",
          `the labels of namespace ${name} decide which policies govern it, and no file has them; add its manifest, or use --cluster`,
          { cause },
        );
      }
    },
  };
}
