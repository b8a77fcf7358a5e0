import { describeRef } from "../kubernetes/volume-object.ts";
import type { SkillSource } from "../skill/source.ts";
import type { PodSubject } from "../workload/pod/pod-subject.ts";
import { judgePod, type Judgement } from "./judge-pod.ts";
import type { RecheckDeps, StoredVersion } from "./ports.ts";

type Deps = Pick<RecheckDeps, "review" | "open" | "readVersion" | "clock">;

/** The source as it was when a version of one object was stored. */
const asOf = (
  { ref, resourceVersion }: StoredVersion,
  source: SkillSource,
  readVersion: Deps["readVersion"],
): SkillSource => ({
  read: (request, signal) =>
    describeRef(request) === describeRef(ref)
      ? readVersion(request, resourceVersion, signal)
      : source.read(request, signal),
});

/**
 * Judges a pod among the objects that are stored now.
 * @param version of one of them that counts in place of the present one; undefined: all as they are
 * @throws SourceError TIMEOUT or SOURCE_UNAVAILABLE
 */
export async function judgeStored(
  subject: PodSubject,
  version: StoredVersion | undefined,
  { review, open, readVersion, clock }: Deps,
  signal: AbortSignal,
): Promise<Judgement> {
  const held = open(subject.namespace);
  const source = version === undefined ? held : asOf(version, held, readVersion);
  try {
    return await judgePod(subject, { deps: { ...review, source }, now: clock.now(), signal });
  } finally {
    held.release();
  }
}
