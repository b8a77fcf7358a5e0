import type { ReviewContext } from "../../evaluation/evaluate.ts";
import { SourceError } from "../../skill/source-error.ts";
import type { VolumeObject, VolumeObjectRef } from "../../skill/source.ts";
import type { OtherObject } from "../../workload/changes/object-change.ts";
import { stateByAge } from "../../workload/changes/in-place.ts";
import { objectsToRead } from "../../workload/objects-to-read.ts";
import { readPodSpec } from "../../workload/pod/pod-spec.ts";
import type { PodSubject } from "../../workload/pod/pod-subject.ts";

/** The other objects that a pod mounts where a skill can be, by name, as they are now and as far as the pod can have them. */
export async function otherObjects(
  pod: PodSubject,
  changed: VolumeObjectRef,
  roots: readonly string[],
  { deps, signal }: ReviewContext,
): Promise<ReadonlyMap<string, OtherObject>> {
  const states = new Map<string, OtherObject>();
  for (const request of objectsToRead(readPodSpec(pod), roots)) {
    if (request.name === changed.name) continue;
    try {
      states.set(request.name, stateOf(await deps.source.read(request, signal), pod));
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      states.set(request.name, { state: "failed", keys: new Set() });
    }
  }
  return states;
}

const stateOf = (object: VolumeObject | undefined, { createdAt }: PodSubject): OtherObject =>
  object === undefined
    ? { state: "missing", keys: new Set() }
    : { state: stateByAge(object.createdAt, createdAt), keys: new Set(object.files.keys()) };
