import { componentsOf } from "../pod/container-path.ts";
import { agents } from "./agents.ts";
import { agentFolderRootNames, isDotFolder, mayHoldRoot, rootEndByRule } from "./rule.ts";

/** A folder in a home or project, by its components. `*` ends a component's name. */
interface Pattern {
  readonly components: readonly string[];
  readonly written: string;
  /** Whether the folder is a root itself; else certain folders directly below it are. */
  readonly isRoot: boolean;
  /** The agent that looks there; undefined: a policy names it. */
  readonly agent: string | undefined;
}

export type RelativePatterns = ReadonlyMap<string, readonly Pattern[]>;

const byFirst = (patterns: readonly Pattern[]): RelativePatterns =>
  Map.groupBy(patterns, ({ components: [first = ""] }) => first);

const patternOf = (written: string, isRoot: boolean, agent: string | undefined): Pattern => ({
  components: written.split("/"),
  written,
  isRoot,
  agent,
});

/** Patterns of relative roots that a policy names. */
export const policyPatterns = (roots: readonly string[]): RelativePatterns =>
  byFirst(roots.map((root) => patternOf(root, true, undefined)));

/** Patterns of the agents' table. */
const agentPatterns: RelativePatterns = byFirst(
  agents.flatMap(({ name, folders = [], roots = [] }) => [
    ...folders.map((folder) => patternOf(folder, false, name)),
    ...roots.filter((root) => !root.startsWith("/")).map((root) => patternOf(root, true, name)),
  ]),
);

const sameName = (pattern: string, name: string): boolean =>
  pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;

/** Where the deepest root ends in a path, and on the way to which folder the path ends. */
export interface RelativeMatch {
  /** Components of the deepest root; 0: there is none. */
  readonly rootEnd: number;
  readonly onTheWayTo: Pattern | undefined;
}

const nothing: RelativeMatch = { rootEnd: 0, onTheWayTo: undefined };

/** The components of a path that a pattern matches from `start`, whole or its first part; undefined: none. */
function matchedEnd(
  { components: parts }: Pattern,
  components: readonly string[],
  start: number,
): number | undefined {
  const length = Math.min(parts.length, components.length - start);
  const fits = parts.slice(0, length).every((part, index) => sameName(part, components[start + index] ?? ""));
  return fits ? start + length : undefined;
}

/** The end of the root that a whole match makes; 0: none. */
function rootEndOf({ isRoot }: Pattern, components: readonly string[], end: number): number {
  if (isRoot) return end;
  return agentFolderRootNames.has(components[end] ?? "") ? end + 1 : 0;
}

/** Holds a path against the rule, the agents' table and a policy's relative roots. */
export function matchRelative(path: string, policy: RelativePatterns): RelativeMatch {
  if (!mayHoldRoot(path)) return nothing;
  const components = componentsOf(path);
  let rootEnd = rootEndByRule(components);
  let onTheWayTo: Pattern | undefined;
  for (const [start, name] of components.entries()) {
    if (!isDotFolder(name)) continue;
    for (const pattern of [...(agentPatterns.get(name) ?? []), ...(policy.get(name) ?? [])]) {
      const end = matchedEnd(pattern, components, start);
      if (end === undefined) continue;
      const isWhole = end - start === pattern.components.length;
      if (isWhole) rootEnd = Math.max(rootEnd, rootEndOf(pattern, components, end));
      if (end === components.length && !(isWhole && pattern.isRoot)) onTheWayTo ??= pattern;
    }
  }
  return { rootEnd, onTheWayTo };
}

/** The root in a path of so many components. */
export const rootAt = (path: string, end: number): string => `/${componentsOf(path).slice(0, end).join("/")}`;

/** Folders below one that a variable stands for: what the agents' table knows below `.config`, for `.config`. */
export interface MovedFolders {
  readonly folders: readonly string[];
  readonly roots: readonly string[];
}

/** The part of the table that lies at or below a folder, relative to it. */
export function below(folder: string): MovedFolders {
  const rest = (written: string): readonly string[] =>
    written === folder ? [""] : written.startsWith(`${folder}/`) ? [written.slice(folder.length + 1)] : [];
  return {
    folders: agents.flatMap(({ folders = [] }) => folders.flatMap(rest)),
    roots: agents.flatMap(({ roots = [] }) => roots.flatMap(rest)),
  };
}
