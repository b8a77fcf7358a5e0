import { printable } from "../text/printable.ts";

/** Bounds of a line, in characters and list entries: users choose its contents, and must not fill disks. */
const limits = { text: 300, stack: 4000, depth: 3, entries: 30 } as const;

/**
 * Credentials in the text of an error: tokens, passwords in URLs, private keys. A last defence: no log line should
 * hold any.
 */
const secrets: readonly (readonly [RegExp, string])[] = [
  [
    /-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\s\S]{0,8000}?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|$)/g,
    "[private key]",
  ],
  [/\b(bearer|basic)\s+[\w.~+/=-]{8,}/gi, "$1 [credential]"],
  [/\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*/g, "[token]"],
  [/(\/\/[^\s/:@]{1,200}):[^\s/@]{1,200}@/g, "$1:[password]@"],
];

/** Characters that are searched for credentials: far more than are logged. */
const maxScanned = 20_000;

function bounded(text: string, limit: number): string {
  let clean = text.length > maxScanned ? text.slice(0, maxScanned) : text;
  for (const [pattern, replacement] of secrets) clean = clean.replace(pattern, replacement);
  return printable(clean, limit);
}

/** A text of unknown origin, printable and cut. */
export const short = (text: string): string => bounded(text, limits.text);

/** The facts of an error and of its causes. */
export function errorFields(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return value(error, depth + 1);
  const { name, message, stack, cause } = error;
  const code: unknown = Reflect.get(error, "code");
  return {
    name: short(name),
    message: short(message),
    ...(typeof code === "string" ? { code: short(code) } : {}),
    // Only the outermost error logs its stack; its lines stay a JSON list.
    ...(depth === 0 && stack !== undefined
      ? { stack: stack.slice(0, limits.stack).split("\n").slice(1, 12).map(short) }
      : {}),
    ...(cause === undefined || depth >= limits.depth ? {} : { cause: errorFields(cause, depth + 1) }),
  };
}

/** A value of any type, bounded in length, depth and number of entries. Never throws. */
export function value(input: unknown, depth = 0): unknown {
  if (typeof input === "string") return short(input);
  if (typeof input === "number" || typeof input === "boolean" || input === null) return input;
  if (input instanceof Error) return errorFields(input, depth);
  if (typeof input === "bigint") return String(input);
  if (typeof input !== "object") return undefined;
  if (ArrayBuffer.isView(input)) return `${input.byteLength} bytes`;
  if (depth >= limits.depth) return "…";
  if (Array.isArray(input)) return input.slice(0, limits.entries).map((each) => value(each, depth + 1));
  return Object.fromEntries(
    Object.entries(input)
      .slice(0, limits.entries)
      .map(([key, each]) => [printable(key, 64), value(each, depth + 1)]),
  );
}
