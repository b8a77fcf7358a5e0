import { baseName } from "../../skill/path.ts";
import type { SkillReference } from "../../skill/reference.ts";
import type { VolumeObject, VolumeObjectRef } from "../../skill/source.ts";
import type { PodSpec } from "../pod/pod-spec.ts";
import { obstacleOfOwn, obstacleTo, stateByAge, type ObjectState } from "./in-place.ts";
import {
  isWithin,
  placesOf,
  possibleSkills,
  touchedBy,
  waysInto,
  withoutLinks,
  type Way,
  type Ways,
} from "./ways.ts";

/** A change to one object that a pod mounts. */
export interface ObjectChange {
  readonly ref: VolumeObjectRef;
  /** Undefined if it is not known: the object did not exist, or could not be read. */
  readonly before: VolumeObject | undefined;
  readonly after: VolumeObject;
  /** Absent for a pod that the API server does not know yet. */
  readonly podCreatedAt?: string | undefined;
}

/** One of the other objects of the pod, and its keys as they are now. */
export interface OtherObject {
  readonly state: ObjectState;
  readonly keys: ReadonlySet<string>;
}

/** The effects of a change on the containers of a pod. */
export interface ChangeInPod {
  /** Whether it alters bytes at or below the skill's path. */
  touches(skill: SkillReference): boolean;
  /** Whether it leaves a file of the object at or below the skill's path. */
  leaves(skill: SkillReference): boolean;
  /** The reason why running containers would not take it in one step; undefined if they do. */
  obstacle(skill: SkillReference): string | undefined;
  /** Folders that it alters and that may be skills by what is not known of other objects, or was in this one. */
  doubtful(judged: readonly SkillReference[]): readonly SkillReference[];
}

interface ContainerChange {
  readonly name: string;
  readonly ways: Ways;
  readonly touches: (path: string) => boolean;
  readonly leaves: (path: string) => boolean;
}

/** @param objects the pod's other objects by name; one that is not among them can hold no skill */
export function changeIn(
  spec: PodSpec,
  change: ObjectChange,
  objects: ReadonlyMap<string, OtherObject>,
): ChangeInPod {
  const { ref, before, after } = change;
  const keys = before === undefined ? undefined : alteredKeys(before, after);
  const containers = new Map<string, ContainerChange>();
  for (const container of spec.containers) {
    const ways = waysInto(container);
    if (ways.all.every(({ part }) => part.name !== ref.name)) continue;
    const touches = touchedBy(ways, { ref, keys });
    const leaves = touchedBy(ways, { ref, keys: new Set(after.files.keys()) });
    containers.set(container.name, { name: container.name, ways, touches, leaves });
  }
  const stateOf = (name: string): ObjectState => objects.get(name)?.state ?? "present";
  const replacement = { name: ref.name, known: before !== undefined };
  const of = (skill: SkillReference): readonly ContainerChange[] =>
    skill.containers.flatMap((name) => containers.get(name) ?? []);
  return {
    touches: (skill) => of(skill).some(({ touches }) => touches(withoutLinks(skill.path))),
    leaves: (skill) => of(skill).some(({ leaves }) => leaves(withoutLinks(skill.path))),
    obstacle: (skill) =>
      of(skill)
        .map(({ ways }) => obstacleTo(replacement, ways.into(withoutLinks(skill.path)), stateOf))
        .find((obstacle) => obstacle !== undefined),
    doubtful: (judged) =>
      [...containers.values()].flatMap((container) => doubtfulIn(container, change, objects, judged)),
  };
}

function alteredKeys(before: VolumeObject, after: VolumeObject): ReadonlySet<string> {
  const keys = new Set([...before.files.keys(), ...after.files.keys()]);
  return new Set(
    keys.values().filter((key) => {
      const [one, other] = [before.files.get(key)?.bytes, after.files.get(key)?.bytes];
      return one === undefined || other === undefined || Buffer.compare(one, other) !== 0;
    }),
  );
}

function doubtfulIn(
  container: ContainerChange,
  change: ObjectChange,
  objects: ReadonlyMap<string, OtherObject>,
  judged: readonly SkillReference[],
): readonly SkillReference[] {
  const { ways, touches, name } = container;
  const seen = new Set(
    judged.filter(({ containers }) => containers.includes(name)).map(({ path }) => withoutLinks(path)),
  );
  const found: SkillReference[] = [];
  for (const way of ways.all) {
    for (const path of possibleSkills(way)) {
      if (!touches(path) || isWithin(seen, path)) continue;
      const doubt = doubtAbout({ way, ways: ways.into(path), path }, change, objects);
      if (doubt === undefined) continue;
      seen.add(path);
      found.push(doubtfulSkill(path, name, way, doubt));
    }
  }
  return found;
}

interface Possible {
  readonly way: Way;
  readonly ways: ReadonlySet<Way>;
  readonly path: string;
}

/** The reason why a folder may be a skill in a running container though nothing in it says so now. */
function doubtAbout(
  { way, ways, path }: Possible,
  { ref, before, after, podCreatedAt }: ObjectChange,
  objects: ReadonlyMap<string, OtherObject>,
): string | undefined {
  const { name, optional } = way.part;
  if (name === ref.name) {
    // The object before it may have held SKILL.md, and a mount that does not follow still shows it.
    if (before !== undefined) return undefined;
    // By the object's age, later changes of others will tell that it was made anew: not of one of the pod's own second.
    const isShared = [...ways].some(({ part }) => part.name !== name);
    if (isShared && stateByAge(after.createdAt, podCreatedAt) === "recent")
      return `ConfigMap ${name} comes in the same second as the pod; try again`;
    return obstacleOfOwn(
      name,
      [...ways].filter(({ part }) => part.name === name),
    );
  }
  const state = objects.get(name)?.state ?? "present";
  if (state === "present" || state === "recent") return undefined;
  // A part of a skill is never optional: beside files of others, an optional object held no SKILL.md when the pod came.
  if (
    optional &&
    hasFiles(ways, path, (other) => (other === ref.name ? before?.files : objects.get(other)?.keys), name)
  )
    return undefined;
  return `ConfigMap ${name}, which may have made ${path} a skill, ${states[state]}`;
}

const states: Readonly<Record<ObjectState, string>> = {
  present: "is there",
  missing: "does not exist any more; create it first",
  failed: "cannot be read; try again",
  recent: "was made in the same second as the pod",
  anew: "was made anew after the pod had started, which may still show the old one; restart the pod",
};

type KeysOf = (name: string) => { keys(): Iterable<string> } | undefined;

function hasFiles(ways: ReadonlySet<Way>, folder: string, keysOf: KeysOf, except: string): boolean {
  return [...ways].some((way) => {
    const { name } = way.part;
    if (name === except) return false;
    return placesOf(way, new Set(keysOf(name)?.keys())).some((path) => isWithin(new Set([folder]), path));
  });
}

const doubtfulSkill = (
  path: string,
  container: string,
  { mount, part }: Way,
  detail: string,
): SkillReference => ({
  name: baseName(path),
  path,
  containers: [container],
  sources: [
    { kind: mount.volume.kind === "Projected" ? "Projected" : "ConfigMap", name: part.name, writable: false },
  ],
  content: { state: "unavailable", code: "SOURCE_UNAVAILABLE", detail },
});
