import { memoizeByObject } from "../../text/memoize-by-object.ts";
import type { Readable } from "./layer.ts";
import type { Container, PodSpec } from "./pod-spec.ts";

/**
 * Those who can write each volume, beside the readers themselves. Writers are pairs of container and image: files of the
 * image before an update stay in an emptyDir.
 */
interface Writers {
  /** Writers of every volume: all containers, if one of the pod's fields makes them so. */
  readonly ofAll: ReadonlySet<Container>;
  readonly byVolume: ReadonlyMap<string, ReadonlySet<Container>>;
  readonly pod: PodSpec;
}

/** Containers that reach each other's files through `/proc`: an ephemeral one and its target. */
const groupOf = ({ name, security }: Container): string => security.target ?? name;

const writersOf = memoizeByObject((pod: PodSpec): Writers => {
  const { containers, sharedProcesses } = pod;
  const privileged = containers.filter(({ security }) => security.privileged);
  const groups = Map.groupBy(containers, groupOf);
  const byVolume = new Map<string, Set<Container>>();
  for (const container of containers) {
    for (const { volume, readOnly } of container.mounts) {
      if (volume.kind !== "EmptyDir" || (readOnly && !container.security.remounts)) continue;
      const writers = byVolume.get(volume.name) ?? new Set();
      byVolume.set(volume.name, writers);
      for (const one of groups.get(groupOf(container)) ?? []) writers.add(one);
    }
  }
  return { ofAll: new Set(sharedProcesses === undefined ? privileged : containers), byVolume, pod };
});

const quoted = (names: readonly string[]): string => {
  const shown = names.slice(0, 3).map((name) => JSON.stringify(name));
  const more = names.length > 3 ? [`${names.length - 3} more`] : [];
  return [...shown, ...more].join(" and ");
};

/** The reason why others than the container itself can write an emptyDir; undefined if none can. */
export function otherWriters(pod: PodSpec, volume: string, reader: Container): string | undefined {
  const { ofAll, byVolume } = writersOf(pod);
  const all = new Set([...(byVolume.get(volume) ?? []), ...ofAll]);
  const before = [...all].find(({ earlierImage }) => earlierImage !== undefined);
  if (before !== undefined)
    return `${JSON.stringify(before.name)} could write it with its image before, ${before.earlierImage ?? ""}`;
  if (all.size === 0 || (all.size === 1 && all.has(reader))) return undefined;
  if (pod.sharedProcesses !== undefined && all.size === ofAll.size)
    return `every container can write it, by ${pod.sharedProcesses}`;
  return `${quoted([...all].map(({ name }) => name))} can write it`;
}

/**
 * The content as its container judges it: an emptyDir that nobody else can write brings nothing in, for the container
 * could write the same anywhere. Of others the state says who can.
 */
export function withWriters<T extends Readable>(content: T, container: Container, pod: PodSpec): T {
  if (content.unreadable.every(({ layer }) => layer.mount?.volume.kind !== "EmptyDir")) return content;
  const unreadable = content.unreadable.flatMap((one) => {
    const { volume, fault } = one.layer.mount ?? {};
    if (volume?.kind !== "EmptyDir") return [one];
    const writers = otherWriters(pod, volume.name, container);
    if (writers === undefined) return [];
    if (fault !== undefined || one.layer.doubt !== undefined || one.state.state !== "unverifiable")
      return [one];
    const detail = `the volume ${JSON.stringify(volume.name)} is an emptyDir, and ${writers}`;
    return [{ ...one, state: { ...one.state, detail } }];
  });
  return { ...content, unreadable };
}
