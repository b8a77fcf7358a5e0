import { collisionKey } from "../skill/path.ts";
import { baseName } from "./container-path.ts";

/** Is it a Markdown file by its name, in letters that some reader may take for `.md`. */
export const isMarkdown = (path: string): boolean =>
  isPlain(path) ? /\.md$/i.test(path) : /\.md$/i.test(baseName(path).normalize("NFKC"));

/** Is it a skill's own file, `SKILL.md`, in any letters that some reader may take for these. */
export const isSkillFile = (path: string): boolean =>
  isPlain(path) ? /(?:^|\/)skill\.md$/i.test(path) : collisionKey(baseName(path)) === "skill.md";

const isPlain = (path: string): boolean => /^[\u0020-\u007e]*$/.test(path);

const decoder = new TextDecoder("utf-8");
/** Line ends of YAML 1.1 and 1.2, and of Unicode: whatever some reader takes for one. */
const lineEnds = /\r\n?|[\u0085\u2028\u2029]/g;
const opening = /^\s*---(?:[ \t][^\n]*)?\n/;
const closing = /^(?:---|\.\.\.)[ \t]*$/m;

const nameKey = /(?:^|[{,])[ \t]*["']?name["']?[ \t]*:/im;
const descriptionKey = /(?:^|[{,])[ \t]*["']?description["']?[ \t]*:/im;
/** Keys that hide behind an anchor, a tag or a question mark: which these are is not worked out, the words are enough. */
const markedKey = /(?:^|[{,])[ \t]*[&!?]/m;
/** A key with an escape in it may be any key. */
const escapedKey = /(?:^|[{,])[ \t]*"[^"\n\\]{0,64}\\[^"\n]{0,64}"[ \t]*:/m;

/** Every expression here takes time in proportion to the text: it may be all that a pod mounts. */
function hasKeys(frontmatter: string): boolean {
  if (escapedKey.test(frontmatter)) return true;
  if (nameKey.test(frontmatter) && descriptionKey.test(frontmatter)) return true;
  return markedKey.test(frontmatter) && /name/i.test(frontmatter) && /description/i.test(frontmatter);
}

/**
 * Does a Markdown file begin with a frontmatter that holds `name` and `description`, as agents look for skills
 * (agentskills.io). A frontmatter that never ends counts: readers differ on it.
 */
export function declaresSkill(bytes: Uint8Array): boolean {
  const text = decoder.decode(bytes).replace(lineEnds, "\n");
  const start = opening.exec(text);
  if (start === null) return false;
  const rest = text.slice(start[0].length);
  const end = closing.exec(rest);
  const frontmatter = end === null ? rest : rest.slice(0, end.index);
  return hasKeys(frontmatter);
}
