import { baseName } from "./container-path.ts";

/** Is it a Markdown file by its name. */
export const isMarkdown = (path: string): boolean => /\.md$/i.test(baseName(path).normalize("NFKC"));

const decoder = new TextDecoder("utf-8");
const opening = /^\s*---[ \t]*\r?\n/;
const closing = /^(?:---|\.\.\.)[ \t]*$/m;
const nameKey = /(?:^|[{,])[ \t]*["']?name["']?[ \t]*:/im;
const descriptionKey = /(?:^|[{,])[ \t]*["']?description["']?[ \t]*:/im;

/**
 * Does a Markdown file begin with a frontmatter that holds `name` and `description`, as agents look for skills
 * (agentskills.io). A frontmatter that never ends counts: readers differ on it.
 */
export function declaresSkill(bytes: Uint8Array): boolean {
  const text = decoder.decode(bytes);
  const start = opening.exec(text);
  if (start === null) return false;
  const rest = text.slice(start[0].length);
  const end = closing.exec(rest);
  const frontmatter = end === null ? rest : rest.slice(0, end.index);
  return nameKey.test(frontmatter) && descriptionKey.test(frontmatter);
}
