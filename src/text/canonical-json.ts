/** Texts and objects of them. Maps, because an object of the language puts keys like `1` first and hides `__proto__`. */
export type CanonicalValue = string | ReadonlyMap<string, CanonicalValue>;

const shortEscapes: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\b": "\\b",
  "\t": "\\t",
  "\n": "\\n",
  "\f": "\\f",
  "\r": "\\r",
};

/** Everything outside blank to tilde is escaped, DEL included, characters beyond U+FFFF as their two halves. */
const quote = (text: string): string =>
  `"${text.replace(
    /["\\]|[^ -~]/g,
    (unit) => shortEscapes[unit] ?? `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  )}"`;

/** By code points, which UTF-8 sorts like; UTF-16, by which the language compares, does not. */
const byCodePoints = ([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number =>
  Buffer.compare(Buffer.from(one), Buffer.from(other));

/**
 * JSON as Python's signers write it, byte for byte: `json.dumps(value, sort_keys=True,
 * separators=(",", ":"))`. Texts must be well-formed.
 */
export function canonicalJson(value: CanonicalValue): string {
  if (typeof value === "string") return quote(value);
  const members = [...value]
    .sort(byCodePoints)
    .map(([key, member]) => `${quote(key)}:${canonicalJson(member)}`);
  return `{${members.join(",")}}`;
}
