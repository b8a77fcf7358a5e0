import { sha256Hex } from "../../skill/digest.ts";

/** Longest key of a ConfigMap's data (Kubernetes, IsConfigMapKey). */
const maxKey = 253;

const plain = /^[A-Za-z0-9.-]$/;

/** One character of a path as it stands in a key. `_` introduces what a key cannot hold, itself included. */
function escaped(character: string): string {
  if (plain.test(character)) return character;
  if (character === "/") return "__";
  return Buffer.from(character)
    .toString("hex")
    .replace(/../g, (byte) => `_${byte}`);
}

/**
 * The ConfigMap key for a path: letters, digits, `.` and `-` as they are, `/` as `__`, every other byte as `_` and two
 * hex digits. Two paths never share a key, and `pathOfKey` gives the path back, except for a path whose key would be
 * longer than 253 characters: that key is cut and ends in `_-` and the path's SHA-256.
 */
export function configMapKey(path: string): string {
  const parts = Array.from(path, escaped);
  // Keys that begin with two dots are refused by the API server; they are the kubelet's own.
  if (path.startsWith("..")) parts[0] = "_2e";
  const key = parts.join("");
  if (key.length <= maxKey) return key;
  const end = `_-${sha256Hex(path)}`;
  let start = "";
  // Cut between characters: half an escape, followed by `_-`, could be read as another path's key.
  for (const part of parts) {
    if (start.length + part.length + end.length > maxKey) break;
    start += part;
  }
  return `${start}${end}`;
}

/** The path that a key stands for, or undefined for a cut key and for anything that `configMapKey` never gives. */
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
