import { skillLimits } from "../skill/limits.ts";
import type { SkillFile } from "../skill/skill.ts";

/** A file that people wrote, as text with LF line ends. */
export interface CardText {
  readonly text: string;
  readonly byteOrderMark: boolean;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const control = /[\u0000-\u0008\u000b-\u001f\u007f]/;

/** Reads a card's bytes; a string says why they cannot be read. CRLF line ends and one byte order mark are tolerated. */
export function readCardText(file: SkillFile, maxBytes: number = skillLimits.cardBytes): CardText | string {
  if (file.size > maxBytes) return `longer than ${maxBytes} bytes; shorten it`;
  let decoded: string;
  try {
    decoded = utf8.decode(file.bytes);
  } catch {
    return "not UTF-8";
  }
  const byteOrderMark = decoded.startsWith("\ufeff");
  const text = (byteOrderMark ? decoded.slice(1) : decoded).replaceAll("\r\n", "\n");
  return { text, byteOrderMark };
}

/**
 * Does the text hold a control character other than tab and line feed. A carriage return by itself is one: some
 * readers end a line there, others do not.
 */
export const hasControl = (text: string): boolean => control.test(text);
