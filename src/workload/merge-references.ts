import type { SkillContent, SkillReference } from "../skill/reference.ts";

/** The very same files, not only equal ones: containers of one pod share what was read. */
function sameContent(one: SkillContent, other: SkillContent): boolean {
  if (one.state === "resolved" && other.state === "resolved") {
    const { files } = other.skill;
    if (one.skill.files.size !== files.size) return false;
    return one.skill.files.entries().every(([path, file]) => files.get(path) === file);
  }
  return JSON.stringify(one) === JSON.stringify(other);
}

const isSame = (one: SkillReference, other: SkillReference): boolean =>
  one.content.state === other.content.state &&
  JSON.stringify(one.sources) === JSON.stringify(other.sources) &&
  sameContent(one.content, other.content);

/** Makes one reference of those by which several containers see the same skill at the same path. */
export function mergeReferences(references: readonly SkillReference[]): readonly SkillReference[] {
  const byPath = new Map<string, SkillReference[]>();
  const merged: SkillReference[][] = [];
  for (const reference of references) {
    let alike = byPath.get(reference.path);
    if (alike === undefined) {
      alike = [];
      byPath.set(reference.path, alike);
      merged.push(alike);
    }
    const index = alike.findIndex((other) => isSame(other, reference));
    const same = alike[index];
    if (same === undefined) alike.push(reference);
    else alike[index] = { ...same, containers: [...new Set([...same.containers, ...reference.containers])] };
  }
  return merged.flat();
}
