import { LRUCache } from "lru-cache";
import { volumeObjectKey } from "../kubernetes/volume-object.ts";
import type { SkillReference } from "../skill/reference.ts";
import { SourceError } from "../skill/source-error.ts";
import type { VolumeObjectRequest } from "../skill/source.ts";
import { AnswersByObjects } from "../text/answers-by-objects.ts";
import type { WalkKey } from "../workload/walk-key.ts";
import type { ReadObjects } from "../workload/pod/volume-view.ts";

/** Characters of keys and outcomes, and bytes about what holds them: some thousand templates of pods. */
const defaultMaxSize = 4 * 1024 * 1024;

/** The walk of all pods of one template. */
export interface RememberedWalk {
  /** The objects to read. */
  readonly requests: readonly VolumeObjectRequest[];
  /** Skills by these objects, in the order of the requests. */
  readonly skills: AnswersByObjects<readonly SkillReference[]>;
}

/** Outcome of one walk. */
interface Outcome {
  readonly requests: readonly VolumeObjectRequest[];
  readonly objects: ReadObjects;
  readonly skills: readonly SkillReference[];
}

/** Stands for an object that does not exist. */
const absent = {};

/** The objects in the order of the requests; undefined if one could not be read. */
function listed(
  requests: readonly VolumeObjectRequest[],
  objects: ReadObjects,
): readonly object[] | undefined {
  const list: object[] = [];
  for (const request of requests) {
    const object = objects.get(volumeObjectKey(request));
    if (object instanceof SourceError) return undefined;
    list.push(object ?? absent);
  }
  return list;
}

/** Bytes of a template about: its key, what holds it, and what it costs for each object. */
const sizeOf = (key: WalkKey, requests: readonly VolumeObjectRequest[]): number =>
  key.text.length + 1000 + requests.length * 1000;

/**
 * Outcomes of walks by all that they depend on: the pod, see `walkKey`, and the objects that it mounts, by identity
 * after each read. So only walks are spared, never a read. Where an object could not be read, nothing is.
 *
 * Bounded by size. Bytes of files are no part of it: an outcome lives no longer than the objects that hold them.
 */
export class RememberedWalks {
  readonly #walks: LRUCache<string, RememberedWalk>;

  constructor(maxSize: number = defaultMaxSize) {
    this.#walks = new LRUCache({ maxSize });
  }

  get({ text }: WalkKey): RememberedWalk | undefined {
    return this.#walks.get(text);
  }

  /** The skills of a walk with these objects, with all digests; undefined if they are not remembered. */
  skillsAmong(
    { requests, skills }: RememberedWalk,
    objects: ReadObjects,
  ): readonly SkillReference[] | undefined {
    const list = listed(requests, objects);
    return list && skills.get(list);
  }

  /** @param outcome with the digests of all files */
  remember(key: WalkKey, { requests, objects, skills }: Outcome): void {
    const list = listed(requests, objects);
    // Files are no part of the text.
    const text = JSON.stringify(skills);
    if (list === undefined || (key.tokenVolume !== undefined && text.includes(key.tokenVolume))) return;
    const walk = this.#walks.get(key.text) ?? { requests, skills: new AnswersByObjects() };
    walk.skills.set(list, skills);
    this.#walks.set(key.text, walk, { size: sizeOf(key, requests) + text.length });
  }
}
