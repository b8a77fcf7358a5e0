import { globMatches } from "../text/glob.ts";
import type { Json } from "../text/json.ts";

/** Claims kept of one skill, and characters of one claim. */
export const permissionLimits = { count: 1_000, characters: 512 } as const;

/**
 * Splits `Bash(git:*) Read, Bash(docker ps *)` at blanks and commas outside brackets. An unclosed bracket makes the
 * rest one token.
 */
export function splitPermissions(text: string): readonly string[] {
  const tokens: string[] = [];
  let depth = 0;
  let start = 0;
  const flush = (end: number): void => {
    if (end > start) tokens.push(text.slice(start, end));
    start = end + 1;
  };
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (character === "(") depth += 1;
    else if (character === ")") depth = Math.max(0, depth - 1);
    else if (depth === 0 && (character === "," || /\s/.test(character))) flush(at);
  }
  flush(text.length);
  return tokens;
}

const refusals = new Set(["false", "none", "no", "off"]);
const grants = new Set(["", "true", "yes", "on"]);

/**
 * Flattens the fields `allowed-tools`, `tools` and `permissions`: a string is split into tokens, a list is taken item
 * by item, and a map `{network: egress, shell: true, env: [HOME]}` becomes `network:egress`, `shell`, `env:HOME`. The
 * values `false`, `none`, `no` and `off` claim nothing.
 */
export function flattenPermissions(value: Json, prefix = ""): readonly string[] {
  if (Array.isArray(value)) {
    return (value as readonly Json[]).flatMap((item) => flattenPermissions(item, prefix));
  }
  if (value !== null && typeof value === "object") {
    // One character behind the limit is kept, to show that it is exceeded; cutting keeps nested long keys from
    // multiplying.
    return Object.entries(value).flatMap(([key, item]) =>
      flattenPermissions(item, `${`${prefix}${key}`.slice(0, permissionLimits.characters + 1)}:`),
    );
  }
  const text = value === null ? "" : String(value).trim();
  if (prefix === "") return splitPermissions(text);
  if (refusals.has(text.toLowerCase())) return [];
  if (grants.has(text.toLowerCase())) return [prefix.slice(0, -1)];
  return splitPermissions(text).map((token) => `${prefix}${token}`);
}

/** A permission or a pattern of permissions: `network:egress` has two parts, `Bash(git:*)` one part and an argument. */
interface Shape {
  readonly parts: readonly string[];
  /** Undefined: any argument. */
  readonly argument: string | undefined;
}

function toShape(text: string): Shape {
  const plain = text.slice(0, permissionLimits.characters).normalize("NFKC").toLowerCase().trim();
  if (text.length > permissionLimits.characters) {
    return { parts: [/^[^:(]*/.exec(plain)?.[0] ?? ""], argument: undefined };
  }
  const open = plain.indexOf("(");
  if (open === -1) return { parts: plain.split(":"), argument: undefined };
  const parts = plain.slice(0, open).trim().split(":");
  // An unclosed argument could mean anything.
  if (!plain.endsWith(")")) return { parts, argument: undefined };
  const argument = plain.slice(open + 1, -1).trim();
  // Agents write `git:*` for "begins with git".
  return { parts, argument: argument.endsWith(":*") ? `${argument.slice(0, -2)}*` : argument };
}

/** Whether some text matches both globs. */
function globsMeet(left: string, right: string): boolean {
  if (!left.includes("*")) return globMatches(right, left);
  if (!right.includes("*")) return globMatches(left, right);
  // Both are open in the middle: they can disagree only before the first star and behind the last.
  const [leftHead, rightHead] = [left.slice(0, left.indexOf("*")), right.slice(0, right.indexOf("*"))];
  const [leftTail, rightTail] = [
    left.slice(left.lastIndexOf("*") + 1),
    right.slice(right.lastIndexOf("*") + 1),
  ];
  return (
    (leftHead.startsWith(rightHead) || rightHead.startsWith(leftHead)) &&
    (leftTail.endsWith(rightTail) || rightTail.endsWith(leftTail))
  );
}

/**
 * Whether a pattern of a policy's deny list and a claimed permission have any use in common.
 *
 * - `*` in either is the only wildcard; letter case does not count.
 * - A broader claim is hit: `Bash` and `Bash(*)` by `Bash(rm:*)`, `network` by `network:egress`.
 * - A narrower claim is hit: `Bash(git:*)` by `Bash` and `Bash(*)`, `network:egress:example.com` by `network:egress`.
 * - `Bash(git:*)` means every command that begins with `git`.
 * - A claim with unbalanced brackets, or of more than 512 characters, counts as broad as its name.
 */
export function permissionDenied(permission: string, pattern: string): boolean {
  const claim = toShape(permission);
  const rule = toShape(pattern);
  const shared = Math.min(claim.parts.length, rule.parts.length);
  for (let index = 0; index < shared; index += 1) {
    if (!globsMeet(claim.parts[index] ?? "", rule.parts[index] ?? "")) return false;
  }
  if (claim.argument === undefined || rule.argument === undefined) return true;
  return globsMeet(claim.argument, rule.argument);
}
