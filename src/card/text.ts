import { skillLimits } from "../skill/limits.ts";
import type { SkillFile } from "../skill/skill.ts";

/** Text of a file, with LF line ends. */
export interface CardText {
  readonly text: string;
  readonly byteOrderMark: boolean;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const control = /[\u0000-\u0008\u000b-\u001f\u007f]/;

/**
 * Reads the text of a card. CRLF line ends and one byte order mark are tolerated.
 * @returns the reason as a string if the file is unreadable
 */
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
 * Whether the text holds a control character other than tab and line feed. A lone carriage return counts: only some
 * readers end a line there.
 */
export const hasControl = (text: string): boolean => control.test(text);
