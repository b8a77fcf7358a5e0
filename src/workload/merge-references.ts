import type { SkillContent, SkillReference } from "../skill/reference.ts";

/** Numbers things in the order in which they are first asked for; equal text has one number. */
function numbering(): (thing: object | string) => number {
  const numbers = new Map<object | string, number>();
  return (thing) => {
    const number = numbers.get(thing) ?? numbers.size;
    numbers.set(thing, number);
    return number;
  };
}

/**
 * Equal for two contents exactly when they are the same. Of a skill that means the very same files, not only equal
 * ones: containers of one pod share what was read. Numbers, since paths are long and seen by many containers.
 */
function identityOf(content: SkillContent, numberOf: ReturnType<typeof numbering>): string {
  if (content.state !== "resolved") return JSON.stringify(content);
  const files = [...content.skill.files].map(([path, file]) => `${numberOf(path)}:${numberOf(file)}`);
  return files.sort().join(" ");
}

interface Merged {
  readonly first: SkillReference;
  readonly containers: Set<string>;
}

/**
 * Makes one reference of those by which several containers see the same skill at the same path. Each is looked at once:
 * a pod can have hundreds of containers that see different skills at equal paths.
 */
export function mergeReferences(references: readonly SkillReference[]): readonly SkillReference[] {
  const numberOf = numbering();
  const byPath = new Map<string, Map<string, Merged>>();
  for (const reference of references) {
    const { path, sources, content } = reference;
    const alike = byPath.get(path) ?? new Map<string, Merged>();
    byPath.set(path, alike);
    const key = `${JSON.stringify(sources)} ${identityOf(content, numberOf)}`;
    const same = alike.get(key) ?? { first: reference, containers: new Set() };
    alike.set(key, same);
    for (const container of reference.containers) same.containers.add(container);
  }
  return [...byPath.values()].flatMap((alike) =>
    [...alike.values()].map(({ first, containers }) => ({ ...first, containers: [...containers] })),
  );
}
