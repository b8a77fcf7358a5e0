import { baseName } from "../../skill/path.ts";
import type { SkillContent, SkillReference } from "../../skill/reference.ts";
import { isMarkdown } from "../../skill/skill-file.ts";
import { defined } from "../../text/fields.ts";
import type { Readable } from "../pod/layer.ts";
import type { SkillRoots } from "./skill-roots.ts";
import type { SkillPart } from "./skills-in-view.ts";

/** Markdown of no skill that an agent takes as instruction if a variable of unknown value names its folder. */
export function instructionsInDoubt(
  { files }: Readable,
  parts: readonly SkillPart[],
  roots: SkillRoots,
  container: string,
): readonly SkillReference[] {
  const inQuestion = files.filter(({ path }) => isMarkdown(path) && roots.mayBeInRoot(path) !== undefined);
  if (inQuestion.length === 0) return [];
  const known = new Set(parts.flatMap((part) => part.files));
  const bySource = Map.groupBy(
    inQuestion.filter((file) => !known.has(file)),
    ({ use: { kind, name } }) => `${kind} ${name}`,
  );
  return [...bySource].flatMap(([source, [first]]) => {
    if (first === undefined) return [];
    const { path, use } = first;
    const place = roots.mayBeInRoot(path);
    const detail = `${source} holds Markdown, which an agent takes as instruction where it looks for any`;
    const content: SkillContent = {
      state: "unverifiable",
      kind: use.kind,
      detail,
      ...defined({ place }),
    };
    return [{ name: baseName(path), path, containers: [container], sources: [use], content }];
  });
}
