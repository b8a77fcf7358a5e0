import { sha256Hex } from "../../skill/digest.ts";

/** Longest key of a ConfigMap (Kubernetes, `IsConfigMapKey`). */
const maxKey = 253;

const plain = /^[A-Za-z0-9.-]$/;

/** One character of a path in a key. `_` introduces an escape, so it is escaped itself. */
function escaped(character: string): string {
  if (plain.test(character)) return character;
  if (character === "/") return "__";
  return Buffer.from(character)
    .toString("hex")
    .replace(/../g, (byte) => `_${byte}`);
}

/**
 * ConfigMap key of a path: letters, digits, `.` and `-` stay, `/` becomes `__`, every other byte `_` and two hex
 * digits. Two paths never share a key, and `pathOfKey` is the inverse. A key above 253 characters is cut and ends in
 * `_-` and the path's SHA-256: it has no inverse.
 */
export function configMapKey(path: string): string {
  const parts = Array.from(path, escaped);
  // The API server refuses keys that begin with two dots: those names are the kubelet's.
  if (path.startsWith("..")) parts[0] = "_2e";
  const key = parts.join("");
  if (key.length <= maxKey) return key;
  const end = `_-${sha256Hex(path)}`;
  let start = "";
  // The cut falls between characters: half an escape before `_-` could be another path's key.
  for (const part of parts) {
    if (start.length + part.length + end.length > maxKey) break;
    start += part;
  }
  return `${start}${end}`;
}

/** Path of a key; undefined for a cut key, and for every key that `configMapKey` does not produce. */
export function pathOfKey(key: string): string | undefined {
  const bytes: Buffer[] = [];
  for (const [part, hex] of key.matchAll(/__|_([0-9a-f]{2})|[^]/g)) {
    if (part === "_") return undefined;
    bytes.push(
      part === "__" ? Buffer.from("/") : hex === undefined ? Buffer.from(part) : Buffer.from(hex, "hex"),
    );
  }
  const path = Buffer.concat(bytes).toString("utf8");
  return configMapKey(path) === key ? path : undefined;
}
