import type { Place } from "../../skill/reference.ts";
import { ancestorsOf, cleanPath, parentOf } from "../pod/container-path.ts";
import { podLimits } from "../pod/limits.ts";
import type { Container } from "../pod/pod-spec.ts";
import type { ReadObjects } from "../pod/volume-view.ts";
import { absoluteAgentRoots, movedRoots, type Reason } from "./moved-roots.ts";
import { matchRelative, policyPatterns, rootAt, type RelativePatterns } from "./relative-roots.ts";

/** Folders of homes, of Linux and of Windows. */
const homesIn: ReadonlySet<string | undefined> = new Set(["/home", "/users"]);

/** Homes known without a variable, beside every folder in these. */
const homes: readonly Reason[] = ["/root", "/home", "/users"].map((path) => ({ path, as: "a usual home" }));

/** Folders in which a skill says nothing of what lies beside it. */
const wideFolders: ReadonlySet<string> = new Set([
  "/",
  "/etc",
  "/opt",
  "/srv",
  "/mnt",
  "/data",
  "/app",
  "/workspace",
]);

/** The places of one container: where agents look for skills in it. */
export interface SkillRoots {
  /** The nearest root at or above a clean absolute path. */
  rootOf(path: string): string | undefined;
  /** Whether a root can be below this folder: it lies above a root, a home or a project, or is a part of `.claude/skills`. */
  isAbove(path: string): boolean;
  /** Why a folder counts that lies at or inside no root, by each rule that applies; none: it lies elsewhere. */
  placesAbove(path: string): readonly Place[];
  /** Why a file may lie in a root: a variable of unknown value may name it. */
  mayBeInRoot(path: string): Place | undefined;
  /** Whether a skill in this folder says nothing of what lies beside it. */
  isWide(folder: string): boolean;
}

type Places = ReadonlyMap<string, Place>;

/** The roots of every container: the built-in ones and those of policies. */
export interface CommonRoots {
  readonly roots: ReadonlySet<string>;
  readonly relative: RelativePatterns;
  /** Homes and folders above them, and above the roots of policies. */
  readonly above: Places;
  /** Folders above an agent's absolute root. */
  readonly agentPrefixes: Places;
}

/** Folders above these, and these themselves with `including`, in order of first use. */
function placesOf(reasons: readonly Reason[], rule: Place["rule"], including: boolean): Places {
  const places = new Map<string, Place>();
  const add = (path: string, why: string): void => {
    if (!places.has(path)) places.set(path, { rule, why, remedy: "mount it elsewhere" });
  };
  for (const { path, as } of reasons) if (including) add(path, `it is ${as}`);
  for (const { path, as } of reasons) {
    // No mount lies deeper: a value of two thousand components has not two thousand folders above it that matter.
    const upper = path.split("/", podLimits.pathDepth + 1).join("/");
    for (const above of upper === path ? ancestorsOf(path) : [upper, ...ancestorsOf(upper)])
      add(above, `${path} below it is ${as}`);
  }
  return places;
}

const agentPrefixes = placesOf(
  absoluteAgentRoots.map(({ path, as }) => ({ path, as: `a skill root of ${as}` })),
  "agentPrefix",
  false,
);

function withPolicyRoots(policyRoots: readonly string[]): CommonRoots {
  const absolute = policyRoots.filter((root) => root.startsWith("/")).map(cleanPath);
  const own = absolute.map((path) => ({ path, as: "a skill root of the policy" }));
  return {
    roots: new Set([...absoluteAgentRoots.map(({ path }) => path), ...absolute]),
    relative: policyPatterns(policyRoots.filter((root) => !root.startsWith("/"))),
    above: new Map([...placesOf(own, "above", false), ...placesOf(homes, "above", true)]),
    agentPrefixes,
  };
}

const builtIn = withPolicyRoots([]);

/** @param policyRoots folders of policies, absolute or beginning with a dot folder */
export const commonRoots = (policyRoots: readonly string[]): CommonRoots =>
  policyRoots.length === 0 ? builtIn : withPolicyRoots(policyRoots);

function nearest(roots: ReadonlySet<string>, path: string): string | undefined {
  for (let at: string | undefined = path; at !== undefined; at = parentOf(at)) if (roots.has(at)) return at;
  return undefined;
}

const usualHome: Place = { rule: "above", why: "it is a usual home", remedy: "mount it elsewhere" };

const noPlaces: Places = new Map();

/**
 * The places of a container: the common ones, and those that its variables and working directory move. A home that
 * only the image defines is not known.
 */
export function skillRoots(common: CommonRoots, container: Container, objects: ReadObjects): SkillRoots {
  const moved = movedRoots(container, objects);
  const roots =
    moved.roots.length === 0
      ? common.roots
      : new Set([...common.roots, ...moved.roots.map(({ path }) => path)]);
  const own =
    moved.roots.length + moved.bases.length === 0
      ? noPlaces
      : new Map([...placesOf(moved.roots, "above", false), ...placesOf(moved.bases, "above", true)]);
  const known = new Map<string, string | undefined>();
  const rootOf = (path: string): string | undefined => {
    const absolute = nearest(roots, path);
    const { rootEnd } = matchRelative(path, common.relative);
    if (rootEnd === 0) return absolute;
    const relative = rootAt(path, rootEnd);
    return relative.length > (absolute?.length ?? 0) ? relative : absolute;
  };
  const placeAbove = (path: string): Place | undefined =>
    own.get(path) ??
    common.above.get(path) ??
    (homesIn.has(parentOf(path)) ? usualHome : onTheWay(path, common.relative));
  return {
    rootOf(path) {
      // Asked for each file: thousands lie in one folder.
      if (!known.has(path)) known.set(path, rootOf(path));
      return known.get(path);
    },
    isAbove: (path) => placeAbove(path) !== undefined || common.agentPrefixes.has(path),
    placesAbove(path) {
      const above = placeAbove(path);
      if (above !== undefined) return [above];
      const prefix = common.agentPrefixes.get(path);
      return [
        ...(prefix === undefined ? [] : [prefix]),
        ...(moved.unknown === undefined ? [] : [moved.unknown]),
      ];
    },
    mayBeInRoot: (path) =>
      moved.unknownRoots.find(({ below }) =>
        below.some((relative) => relative === "" || path.includes(`/${relative}/`)),
      )?.place,
    isWide: (folder) =>
      wideFolders.has(folder) ||
      homesIn.has(parentOf(folder)) ||
      homes.some(({ path }) => path === folder) ||
      moved.bases.some(({ path }) => path === folder),
  };
}

function onTheWay(path: string, relative: RelativePatterns): Place | undefined {
  const { onTheWayTo } = matchRelative(path, relative);
  if (onTheWayTo === undefined) return undefined;
  const { written, agent } = onTheWayTo;
  const whose = agent === undefined ? "a skill root of the policy" : `a folder of ${agent}`;
  return { rule: "above", why: `it is a part of ${written}, ${whose}`, remedy: "mount it elsewhere" };
}
