import type { SkillContent, SkillReference } from "../skill/reference.ts";

/** Numbers things in order of first use; equal strings have one number. */
function numbering(): (thing: object | string) => number {
  const numbers = new Map<object | string, number>();
  return (thing) => {
    const number = numbers.get(thing) ?? numbers.size;
    numbers.set(thing, number);
    return number;
  };
}

/**
 * Equal for two contents exactly if they are the same. Skills are compared by the identity of their files: containers
 * of one pod share what was read. Numbers replace paths: these are long, and many containers see them.
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
 * Merges the references of containers that see the same skill at the same path. Takes linear time: a pod can have
 * hundreds of containers that see different skills at equal paths.
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
