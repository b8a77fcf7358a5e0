import { volumeObjectKey } from "../kubernetes/volume-object.ts";
import type { SkillSource, VolumeObject, VolumeObjectRef } from "../skill/source.ts";

/**
 * Wraps a source so that it reads each object once: a pod must be seen among the same other objects with and without
 * the change.
 */
export function readOnce(source: SkillSource): SkillSource {
  const reads = new Map<string, Promise<VolumeObject | undefined>>();
  return {
    read: (request, signal) => {
      const key = JSON.stringify([
        volumeObjectKey(request),
        request.keys === undefined ? "all" : [...request.keys],
      ]);
      const read = reads.get(key) ?? source.read(request, signal);
      reads.set(key, read);
      return read;
    },
  };
}

/** Wraps a source so that one object has the version under review; undefined: it does not exist. */
export const withObject = (
  source: SkillSource,
  changed: VolumeObjectRef,
  version: VolumeObject | undefined,
): SkillSource => ({
  read: (ref, signal) =>
    ref.kind === changed.kind && ref.namespace === changed.namespace && ref.name === changed.name
      ? Promise.resolve(version)
      : source.read(ref, signal),
});

/** Wraps a source so that it tells of each object that it has read; undefined: it does not exist. */
export const observed = (
  source: SkillSource,
  onRead: (ref: VolumeObjectRef, object: VolumeObject | undefined) => void,
): SkillSource => ({
  read: async (request, signal) => {
    const object = await source.read(request, signal);
    onRead(request, object);
    return object;
  },
});
