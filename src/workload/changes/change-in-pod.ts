import { defined } from "../../text/fields.ts";
import { baseName } from "../../skill/path.ts";
import type { SkillReference } from "../../skill/reference.ts";
import type { PodSpec } from "../pod/pod-spec.ts";
import { alteredKeys } from "./altered-keys.ts";
import { doubtAbout, type Doubt } from "./doubt.ts";
import { obstacleTo, type ObjectState } from "./in-place.ts";
import type { ObjectChange, OtherObject } from "./object-change.ts";
import { isWithin, possibleSkills, touchedBy, waysInto, withoutLinks, type Way, type Ways } from "./ways.ts";

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

const doubtfulSkill = (
  path: string,
  container: string,
  { mount, part }: Way,
  doubt: Doubt,
): SkillReference => ({
  name: baseName(path),
  path,
  containers: [container],
  sources: [
    { kind: mount.volume.kind === "Projected" ? "Projected" : "ConfigMap", name: part.name, writable: false },
  ],
  content: { state: "unavailable", code: "SOURCE_UNAVAILABLE", detail: doubt.detail },
  ...defined({ obstacle: doubt.obstacle }),
});
