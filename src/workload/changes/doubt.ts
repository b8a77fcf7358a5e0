import { obstacleOfOwn, stateByAge } from "./in-place.ts";
import type { ObjectChange, OtherObject } from "./object-change.ts";
import { isWithin, placesOf, type Way } from "./ways.ts";

/** A folder that would be a skill if the object of this way made it one, and all the ways into it. */
export interface Possible {
  readonly way: Way;
  readonly ways: ReadonlySet<Way>;
  readonly path: string;
}

/** The reason why a folder may be a skill in a running container though nothing in it says so now. */
export const doubtAbout = (
  possible: Possible,
  change: ObjectChange,
  objects: ReadonlyMap<string, OtherObject>,
): Doubt | undefined =>
  possible.way.part.name === change.ref.name
    ? doubtAboutChanged(possible, change)
    : doubtAboutOther(possible, change, objects);

/** The object before the change may have held SKILL.md, and a mount that does not follow still shows it. */
function doubtAboutChanged(
  { ways }: Possible,
  { ref: { name }, before, after, podCreatedAt }: ObjectChange,
): Doubt | undefined {
  if (before !== undefined) return undefined;
  // By the object's age, later changes of others will tell that it was made anew: not of one of the pod's own second.
  const isShared = [...ways].some(({ part }) => part.name !== name);
  if (isShared && stateByAge(after.createdAt, podCreatedAt) === "recent")
    return { detail: `ConfigMap ${name} comes in the same second as the pod; try again` };
  const own = [...ways].filter(({ part }) => part.name === name);
  const obstacle = obstacleOfOwn(name, own);
  return obstacle === undefined ? undefined : { detail: unknown, obstacle };
}

function doubtAboutOther(
  { way, ways, path }: Possible,
  { ref, before }: ObjectChange,
  objects: ReadonlyMap<string, OtherObject>,
): Doubt | undefined {
  const { name, optional } = way.part;
  const state = objects.get(name)?.state ?? "present";
  if (state === "present" || state === "recent") return undefined;
  // A part of a skill is never optional: beside files of others, an optional object held no SKILL.md when the pod came.
  const keysOf: KeysOf = (other) => (other === ref.name ? before?.files : objects.get(other)?.keys);
  if (optional && hasFiles(ways, path, keysOf, name)) return undefined;
  const what = `ConfigMap ${name}, which may have made ${path} a skill,`;
  switch (state) {
    case "missing":
      return { detail: `${what} does not exist any more; create it first` };
    case "failed":
      return { detail: `${what} cannot be read; try again` };
    case "anew":
      return {
        detail: unknown,
        obstacle: `${what} was made anew after the pod, which may still show the old one`,
      };
  }
}

const unknown = "it is not known what running containers show in this folder";

/** The doubt, and the reason why a change cannot be let through before pods are replaced, if that is so. */
export interface Doubt {
  readonly detail: string;
  readonly obstacle?: string;
}

type KeysOf = (name: string) => { keys(): Iterable<string> } | undefined;

function hasFiles(ways: ReadonlySet<Way>, folder: string, keysOf: KeysOf, except: string): boolean {
  return [...ways].some((way) => {
    const { name } = way.part;
    if (name === except) return false;
    return placesOf(way, new Set(keysOf(name)?.keys())).some((path) => isWithin(new Set([folder]), path));
  });
}
