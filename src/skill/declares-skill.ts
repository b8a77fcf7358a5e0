import { memoizeByObject } from "../text/memoize-by-object.ts";
import { skillLimits } from "./limits.ts";
import type { SkillFile } from "./skill.ts";

/** Line ends of YAML 1.1, YAML 1.2 and Unicode: readers differ. */
const lineEnds = /\r\n?|[\u0085\u2028\u2029]/g;
/** Behind the dashes some readers take the name of a language, as gray-matter does. */
const opening = /^\s*---(?:[a-z]+)?(?:[ \t][^\n]*)?\n/i;
/** Text that could still become an opening if it went on. */
const openingCutOff = /^\s*(?:-{0,2}|---(?:[a-z]+)?(?:[ \t][^\n]*)?)$/i;
const closing = /^(?:---|\.\.\.)[ \t]*$/m;

const nameKey = /(?:^|[{,])[ \t]*["']?name["']?[ \t]*:/im;
const descriptionKey = /(?:^|[{,])[ \t]*["']?description["']?[ \t]*:/im;
/** A key behind an anchor, a tag or a question mark, or an alias as key. It is not resolved: the words alone count. */
const markedKey = /(?:^|[{,])[ \t]*(?:[&!?]|\*[^\s*,{}[\]]+[ \t]+:)/m;
/** A key with an escape can be any key. */
const escapedKey = /(?:^|[{,])[ \t]*"[^"\n\\]{0,128}\\[^"\n]{0,128}"[ \t]*:/m;

/** Each expression takes linear time: the text may be all that a pod mounts. */
function hasKeys(frontmatter: string): boolean {
  if (escapedKey.test(frontmatter)) return true;
  if (nameKey.test(frontmatter) && descriptionKey.test(frontmatter)) return true;
  if (!markedKey.test(frontmatter)) return false;
  return frontmatter.includes("\\") || (/name/i.test(frontmatter) && /description/i.test(frontmatter));
}

/** Whether the first byte rules out a frontmatter: printable ASCII other than a dash. Most files begin with one. */
const beginsOtherwise = (first: number | undefined): boolean =>
  first === undefined || (first > 0x20 && first < 0x7f && first !== 0x2d);

/** The first 64 KiB of a file as text, without a character that is cut through. */
function headOf(bytes: Uint8Array): { readonly head: string; readonly isCut: boolean } {
  const isCut = bytes.byteLength > skillLimits.frontmatterBytes;
  const part = bytes.subarray(0, skillLimits.frontmatterBytes);
  const text = new TextDecoder("utf-8").decode(part, { stream: isCut });
  return { head: text.replace(lineEnds, "\n"), isCut };
}

function looksDeclared({ bytes }: SkillFile): boolean {
  if (beginsOtherwise(bytes[0])) return false;
  const { head, isCut } = headOf(bytes);
  const start = opening.exec(head);
  if (start === null) return isCut && openingCutOff.test(head);
  const rest = head.slice(start[0].length);
  // The last line of a cut text may go on, and closes nothing.
  const end = closing.exec(isCut ? rest.slice(0, rest.lastIndexOf("\n") + 1) : rest);
  if (end === null) return isCut || hasKeys(rest);
  return hasKeys(rest.slice(0, end.index));
}

/**
 * Whether a Markdown file begins with a frontmatter that holds `name` and `description`: agents recognize skills by
 * it (agentskills.io). An unclosed frontmatter counts: readers differ. One that does not end within 64 KiB counts
 * whatever it holds: agents read on and find the keys. Each file is read once: a pod can mount one file thousands of
 * times.
 */
export const declaresSkill: (file: SkillFile) => boolean = memoizeByObject(looksDeclared);
