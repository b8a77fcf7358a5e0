import { memoizeByObject } from "../../text/memoize-by-object.ts";
import type { Readable } from "./layer.ts";
import { quotedNames, type Container, type PodSpec } from "./pod-spec.ts";

/** Those who can write one volume. */
interface Writers {
  readonly containers: ReadonlySet<Container>;
  /** In words, with the image that one of them had before; the reader itself may be among them. */
  readonly words: string;
  /**
   * Whether a reader may not be the only one, though no other container writes: files of its image before an update
   * stay. Writers are pairs of container and image.
   */
  readonly earlier: boolean;
}

/** Containers that reach each other's files through `/proc`: an ephemeral one and its target. */
const groupOf = ({ name, security }: Container): string => security.target ?? name;

/** The emptyDirs of a pod with those who can write each. */
const writersOf = memoizeByObject((pod: PodSpec): ReadonlyMap<string, Writers> => {
  const groups = new Map<string, Set<string>>();
  for (const container of pod.containers) {
    for (const { volume, readOnly } of container.mounts) {
      if (volume.kind !== "EmptyDir") continue;
      const writing = groups.get(volume.name) ?? new Set();
      groups.set(volume.name, writing);
      if (!readOnly || container.security.remounts) writing.add(groupOf(container));
    }
  }
  return new Map(groups.entries().map(([name, writing]) => [name, writersBy(writing, pod)]));
});

function writersBy(groups: ReadonlySet<string>, { containers, sharedProcesses }: PodSpec): Writers {
  const writers = containers.filter(
    (one) => sharedProcesses !== undefined || one.security.privileged || groups.has(groupOf(one)),
  );
  const before = writers.find(({ earlierImage }) => earlierImage !== undefined);
  return {
    containers: new Set(writers),
    words:
      before !== undefined
        ? `${JSON.stringify(before.name)} could write it with its image before, ${before.earlierImage ?? ""}`
        : sharedProcesses !== undefined
          ? `every container can write it, by ${sharedProcesses}`
          : `${quotedNames(writers)} can write it`,
    earlier: before !== undefined,
  };
}

/** The reason why others than the container itself can write an emptyDir; undefined if none can. */
function otherWriters(pod: PodSpec, volume: string, reader: Container): string | undefined {
  const { containers, words, earlier } = writersOf(pod).get(volume) ?? nobody;
  const isAlone = containers.size === 0 || (containers.size === 1 && containers.has(reader));
  return earlier || !isAlone ? words : undefined;
}

const nobody: Writers = { containers: new Set(), words: "", earlier: false };

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
