import { baseName } from "../skill/path.ts";
import type { SkillReference } from "../skill/reference.ts";
import { isMarkdown } from "../skill/skill-file.ts";
import type { Container, PodSpec } from "./pod/pod-spec.ts";
import type { ReadObjects } from "./pod/volume-view.ts";
import { environmentRequests } from "./roots/container-variables.ts";
import { commonRoots, skillRoots } from "./roots/skill-roots.ts";
import type { ObjectState } from "./changes/in-place.ts";
import type { ObjectChange, OtherObject } from "./changes/object-change.ts";
import { alteredKeys } from "./changes/altered-keys.ts";
import { isWithin, placesOf, waysInto, type Way } from "./changes/ways.ts";

/** The ConfigMaps of variables that move a container's roots, as a change leaves them and as they were. */
export interface VariableObjects {
  readonly before: ReadObjects;
  readonly after: ReadObjects;
}

const namesOf = (container: Container, { namespace }: PodSpec): ReadonlySet<string> =>
  new Set(environmentRequests(container, namespace).map(({ name }) => name));

const refused = (
  { name: container }: Container,
  path: string,
  { mount, part }: Way,
  { detail, obstacle }: { readonly detail: string; readonly obstacle: string },
): SkillReference => ({
  name: baseName(path),
  path,
  containers: [container],
  sources: [
    { kind: mount.volume.kind === "Projected" ? "Projected" : "ConfigMap", name: part.name, writable: false },
  ],
  content: { state: "unavailable", code: "SOURCE_UNAVAILABLE", detail },
  obstacle,
});

/**
 * The roots that a change of variables would move away from ConfigMaps that are mounted there. A running container keeps
 * its variables and goes on looking there, while later changes of these ConfigMaps would be judged as if it did not.
 */
export function leftRoots(
  spec: PodSpec,
  extraRoots: readonly string[],
  { ref, before: known }: ObjectChange,
  { before, after }: VariableObjects,
): readonly SkillReference[] {
  if (known === undefined) return [];
  const common = commonRoots(extraRoots);
  const obstacle = `a running container keeps the variables that ConfigMap ${ref.name} gave it`;
  return spec.containers.flatMap((container) => {
    if (!namesOf(container, spec).has(ref.name)) return [];
    const [was, is] = [skillRoots(common, container, before), skillRoots(common, container, after)];
    for (const way of waysInto(container).all)
      for (const path of [way.mount.path, ...placesOf(way)]) {
        const root = was.rootOf(path);
        if (root === undefined || is.rootOf(path) === root) continue;
        const detail = `the container goes on looking for skills in ${root}, where ConfigMap ${way.part.name} is mounted`;
        return [refused(container, path, way, { detail, obstacle })];
      }
    return [];
  });
}

const saidOf: Readonly<Record<Exclude<ObjectState, "present">, string>> = {
  missing: "is not there now",
  failed: "cannot be read",
  anew: "was made anew since the pod was",
  recent: "may have been made anew since the pod was",
};

/**
 * Markdown that a change brings in where a running container may look for it, by variables of a ConfigMap that is no
 * more the one with which it started: deletions of ConfigMaps are not reviewed.
 * @param judged skills that are under review already
 */
export function underEarlierRoots(
  spec: PodSpec,
  change: ObjectChange,
  objects: ReadonlyMap<string, OtherObject>,
  judged: readonly SkillReference[],
): readonly SkillReference[] {
  const { ref, before, after } = change;
  const keys = new Set(
    before === undefined
      ? after.files.keys()
      : [...alteredKeys(before, after)].filter((key) => after.files.has(key)),
  );
  return spec.containers.flatMap((container) => {
    const doubt = [...namesOf(container, spec)]
      .map((name) => ({ name, state: stateOf(name, container, change, objects) }))
      .find(({ state }) => state !== "present");
    if (doubt === undefined || doubt.state === "present") return [];
    const seen = new Set(
      judged.flatMap(({ containers, path, content }) =>
        content.state === "resolved" && containers.includes(container.name) ? [path] : [],
      ),
    );
    for (const way of waysInto(container).all) {
      if (way.part.name !== ref.name) continue;
      const path = placesOf(way, keys).find((one) => isMarkdown(one) && !isWithin(seen, one));
      if (path === undefined) continue;
      const detail = `the container may look for skills here, by variables of ConfigMap ${doubt.name}, which ${saidOf[doubt.state]}`;
      const obstacle = `it is not known which variables ConfigMap ${doubt.name} gave the running container`;
      return [refused(container, path, way, { detail, obstacle })];
    }
    return [];
  });
}

/** One of the same second as the pod is in doubt only where it names a variable that moves roots: many are made together. */
function stateOf(
  name: string,
  { environmentSources }: Container,
  { ref, before }: ObjectChange,
  objects: ReadonlyMap<string, OtherObject>,
): ObjectState {
  if (name === ref.name) return before === undefined ? "anew" : "present";
  const state = objects.get(name)?.state ?? "present";
  if (state !== "recent") return state;
  const isNamed = environmentSources.open
    .values()
    .some((entries) => entries.some(({ source }) => source.from === "key" && source.object.name === name));
  return isNamed ? state : "present";
}
