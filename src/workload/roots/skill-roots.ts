import { ancestorsOf, cleanPath, componentsOf, parentOf } from "../pod/container-path.ts";
import type { Container } from "../pod/pod-spec.ts";

/** Absolute folders whose children are skills. */
const absoluteRoots: readonly string[] = [
  "/skills", // kagent, and by convention
  "/plugins", // kagent
  "/app/skills", // OpenClaw
  "/config/agent/skills", // docsclaw
  "/etc/codex/skills",
  "/etc/openshell/skills",
  "/kelos/plugin",
  "/opt/data/skills", // Hermes
  "/opt/skills", // konveyor
  "/sandbox/.openclaw-data/skills", // NemoClaw
];

/** Folders whose children are skills, below a home, a project or any other folder. `*` ends a component's name. */
const relativeRoots: readonly string[] = [
  ".agents/skills",
  ".claude/plugins",
  ".claude/skills",
  ".codeium/windsurf/skills",
  ".codex/skills",
  ".config/agents/skills",
  ".config/goose/skills",
  ".config/opencode/skills",
  ".copilot/skills",
  ".cursor/skills",
  ".factory/skills",
  ".gemini/skills",
  ".github/skills",
  ".goose/skills",
  ".hermes/skills",
  ".kiro/skills",
  ".openclaw/skills",
  ".openclaw/workspace*/skills",
  ".openhands/skills",
  ".opencode/skills",
  ".pi/agent/skills",
  ".windsurf/skills",
];

/** Environment variables that move a root: the root, relative to the variable's value. */
const movedRoots: ReadonlyMap<string, string> = new Map([
  ["CLAUDE_CONFIG_DIR", "skills"],
  ["CODEX_HOME", "skills"],
  ["HERMES_HOME", "skills"],
  ["KAGENT_SKILLS_FOLDER", ""],
]);

/** Environment variables that decide where roots are. */
export const rootVariables: ReadonlySet<string> = new Set(["HOME", ...movedRoots.keys()]);

/** Homes known without a variable. */
const homes: readonly string[] = ["/root", "/home"];

const patterns: ReadonlyMap<string, readonly (readonly string[])[]> = Map.groupBy(
  relativeRoots.map((root) => root.split("/")),
  ([first = ""]) => first,
);

/** The skill roots of one container: every child of one is a skill. */
export interface SkillRoots {
  /** The nearest root at or above a clean absolute path. */
  rootOf(path: string): string | undefined;
  /** Whether a root is or could be below this folder: above a root, a home, a project, or a part of `.claude/skills`. */
  isAbove(path: string): boolean;
}

/** The roots of every container: the built-in ones and those of policies. */
export interface CommonRoots {
  readonly roots: ReadonlySet<string>;
  /** Folders above a root, and homes. */
  readonly above: ReadonlySet<string>;
}

const withAncestors = (paths: readonly string[]): readonly string[] =>
  paths.flatMap((path) => [path, ...ancestorsOf(path)]);

const withExtraRoots = (extraRoots: readonly string[]): CommonRoots => {
  const roots = [...absoluteRoots, ...extraRoots.map(cleanPath)];
  return { roots: new Set(roots), above: new Set([...roots.flatMap(ancestorsOf), ...withAncestors(homes)]) };
};

const builtIn = withExtraRoots([]);

/** @param extraRoots absolute folders of policies */
export const commonRoots = (extraRoots: readonly string[]): CommonRoots =>
  extraRoots.length === 0 ? builtIn : withExtraRoots(extraRoots);

/** Matches of relative roots that begin at `start`; `whole`: the path holds all of the root, else only its first part. */
function* matches(components: readonly string[], start: number): Generator<{ end: number; whole: boolean }> {
  for (const pattern of patterns.get(components[start] ?? "") ?? []) {
    const length = Math.min(pattern.length, components.length - start);
    const fits = pattern
      .slice(0, length)
      .every((name, index) => sameName(name, components[start + index] ?? ""));
    if (fits) yield { end: start + length, whole: length === pattern.length };
  }
}

const sameName = (pattern: string, name: string): boolean =>
  pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;

/** The nearest relative root at or above the path, and whether the path ends within a relative root. */
function relativeRootOf(path: string): { readonly root: string | undefined; readonly begins: boolean } {
  if (!path.includes("/.")) return { root: undefined, begins: false };
  const components = componentsOf(path);
  let end = 0;
  let begins = false;
  for (const [start, name] of components.entries()) {
    if (!name.startsWith(".")) continue;
    for (const match of matches(components, start)) {
      if (match.whole) end = Math.max(end, match.end);
      else begins = true;
    }
  }
  return { root: end === 0 ? undefined : `/${components.slice(0, end).join("/")}`, begins };
}

function nearest(roots: ReadonlySet<string>, path: string): string | undefined {
  for (let at: string | undefined = path; at !== undefined; at = parentOf(at)) if (roots.has(at)) return at;
  return undefined;
}

/** Any user's home, `/home/agent`. */
const isHome = (path: string): boolean => parentOf(path) === "/home";

const none: ReadonlySet<string> = new Set();

interface Moved {
  readonly roots: readonly string[];
  readonly bases: readonly string[];
  /** Whether the value that moves a root is unknown. */
  readonly anywhere: boolean;
}

const nothingMoved: Moved = { roots: [], bases: [], anywhere: false };

function movedBy({ environment, workingDir }: Container): Moved {
  if (workingDir === undefined && environment.size === 0) return nothingMoved;
  const roots: string[] = [];
  const bases: string[] = workingDir === undefined ? [] : [cleanPath(workingDir)];
  let anywhere = false;
  const home = environment.get("HOME");
  if (home !== undefined && home !== "") bases.push(cleanPath(home));
  else if (home === undefined && environment.has("HOME")) anywhere = true;
  for (const [name, relative] of movedRoots) {
    const value = environment.get(name);
    if (value !== undefined && value !== "") roots.push(cleanPath(`${value}/${relative}`));
    else if (value === undefined && environment.has(name)) anywhere = true;
  }
  return { roots, bases, anywhere };
}

/**
 * The skill roots of a container: the common ones, and those that its variables and working directory move. A home
 * that only the image defines is not known.
 */
export function skillRoots(common: CommonRoots, container: Container): SkillRoots {
  const { roots: moved, bases, anywhere } = movedBy(container);
  const roots = moved.length === 0 ? common.roots : new Set([...common.roots, ...moved]);
  const above =
    moved.length + bases.length === 0
      ? none
      : new Set([...moved.flatMap(ancestorsOf), ...withAncestors(bases)]);
  const known = new Map<string, string | undefined>();
  const rootOf = (path: string): string | undefined => {
    const absolute = nearest(roots, path);
    const { root } = relativeRootOf(path);
    return (root?.length ?? 0) > (absolute?.length ?? 0) ? root : absolute;
  };
  return {
    rootOf(path) {
      // Asked for each file: thousands lie in one folder.
      if (!known.has(path)) known.set(path, rootOf(path));
      return known.get(path);
    },
    isAbove: (path) =>
      anywhere || common.above.has(path) || above.has(path) || isHome(path) || relativeRootOf(path).begins,
  };
}
