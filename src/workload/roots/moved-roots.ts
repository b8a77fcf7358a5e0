import { isBelow, joinPath } from "../pod/container-path.ts";
import { placesOf, type Container } from "../pod/pod-spec.ts";
import type { ReadObjects } from "../pod/volume-view.ts";
import type { Place } from "../../skill/reference.ts";
import { agents, kagent } from "./agents.ts";
import { containerVariables, type Variable } from "./container-variables.ts";
import { namedFolders, type NamedFolders, type Start } from "./named-folders.ts";
import { movingVariables, type MovingVariable } from "./moving-variables.ts";
import { below } from "./relative-roots.ts";
import { agentFolderRootNames } from "./rule.ts";

/** A folder, and the words that say why it matters. */
export interface Reason {
  readonly path: string;
  readonly as: string;
}

/** Roots that a variable of unknown value names: these, relative to whatever it is. */
interface UnknownRoots {
  readonly below: readonly string[];
  readonly place: Place;
}

/** What a container's fields say of where agents look in it. */
export interface Moved {
  /** Roots that a variable names. */
  readonly roots: readonly Reason[];
  /** Homes, the working directory, and folders below which a variable puts roots. */
  readonly bases: readonly Reason[];
  /** Why the home, or a root, is not known. */
  readonly unknown: Place | undefined;
  /** A home is none of these: below it, roots are the same everywhere. */
  readonly unknownRoots: readonly UnknownRoots[];
}

const nothing: Moved = { roots: [], bases: [], unknown: undefined, unknownRoots: [] };

const passwd = "/etc/passwd";

const mountOverPasswd = ({ mounts }: Container): string | undefined =>
  mounts.find((mount) => placesOf(mount).some((path) => path === passwd || isBelow(path, passwd)))?.path;

/** Whether the name of a variable alone tells whose container it is. */
export const tellsAgent = (name: string): boolean => name.startsWith(kagent.variablePrefix);

/** Whether a container is one of kagent's own. */
const isKagents = ({ image, environment }: Container): boolean =>
  (image.includes("kagent") && image.split(/[/:@]/).some((part) => kagent.imageFolders.includes(part))) ||
  environment.keys().some(tellsAgent);

/** Roots below the value of a variable that stands for a folder of the agents' table, relative to it. */
const movedBelow: ReadonlyMap<string, readonly string[]> = new Map(
  movingVariables.flatMap(({ standsFor }) => {
    if (standsFor === "home" || standsFor === "root") return [];
    const { folders, roots } = below(standsFor);
    const named = folders.flatMap((folder) =>
      [...agentFolderRootNames].map((name) => (folder === "" ? name : `${folder}/${name}`)),
    );
    return [[standsFor, [...new Set([...named, ...roots])]] as const];
  }),
);

/** Folders that one variable names; no real pod comes near. */
const maxPaths = 32;

function homeOf(variable: Variable, container: Container, workingDir: string | undefined): Moved {
  const named = variable.values.map((value) => namedFolders(value, { homes: [], workingDir }));
  const bases = named.flatMap(({ paths }) =>
    paths.map((path) => ({ path, as: `HOME (set in ${variable.field})` })),
  );
  const remedy = "set HOME in the container's env, which wins, to a folder away from this mount";
  const unknown = variable.unknown ?? named.find((one) => one.unknown !== undefined)?.unknown;
  if (unknown !== undefined) {
    const why = `HOME may come from ${unknown}, so this may be a home`;
    const absolute = "write an absolute path for HOME in the container's env, away from this mount";
    return {
      ...nothing,
      bases,
      unknown: { rule: "unknownHome", why, remedy: variable.unknown === undefined ? absolute : remedy },
    };
  }
  const mayBeUnset = variable.mayBeUnset === true || variable.values.length === 0;
  const over = mayBeUnset ? mountOverPasswd(container) : undefined;
  if (over === undefined) return { ...nothing, bases };
  const why = `the mount at ${over} decides the home${over === passwd ? "" : `, by ${passwd}`}, so this may be a home`;
  return { ...nothing, bases, unknown: { rule: "unknownHome", why, remedy } };
}

function movedBy(
  { name, agent, standsFor, separator }: MovingVariable,
  variable: Variable,
  start: Start,
): Moved {
  const values = variable.values.flatMap((value) =>
    separator === undefined ? [value] : value.split(separator, maxPaths + 1),
  );
  const named = values
    .filter((value) => value.trim() !== "")
    .slice(0, maxPaths)
    .map((value) => namedFolders(value, start));
  const known = named.flatMap(({ paths }) => paths);
  const as = `${name} (set in ${variable.field})`;
  const rootsBelow = standsFor === "root" ? [""] : (movedBelow.get(standsFor) ?? []);
  const from =
    variable.unknown ??
    (values.length > maxPaths ? "a long list" : named.find(({ unknown }) => unknown !== undefined)?.unknown);
  const why = `${name} may come from ${from ?? ""}, so ${agent} may look here for skills`;
  const remedy = `write an absolute path for ${name} in the container's env, away from this mount`;
  const place: Place | undefined = from === undefined ? undefined : { rule: "unknownHome", why, remedy };
  return {
    roots: known.flatMap((path) => rootsBelow.map((relative) => ({ path: joinPath(path, relative), as }))),
    bases: known.map((path) => ({ path, as })),
    unknown: place,
    unknownRoots: place === undefined ? [] : [{ below: rootsBelow, place }],
  };
}

/** The folders that the working directory may be: the last one is where its path leads. */
const workingOf = ({ workingDir }: Container): NamedFolders =>
  workingDir === undefined ? { paths: [] } : namedFolders(workingDir, { homes: [], workingDir: "/" });

const unknownWorkingDir = ({ unknown }: NamedFolders): Place | undefined =>
  unknown === undefined
    ? undefined
    : {
        rule: "unknownHome",
        why: `the working directory is ${unknown}, so it may be here`,
        remedy: "write an absolute path for workingDir",
      };

const byName: ReadonlyMap<string, MovingVariable> = new Map(
  movingVariables.map((moving) => [moving.name, moving]),
);

/** The variables that a container may set: few containers set any, and this is asked for every pod. */
function settable({ environment, environmentSources: { envFrom } }: Container): readonly MovingVariable[] {
  if (envFrom.length > 0) return movingVariables;
  return [...environment.keys()].flatMap((name) => byName.get(name) ?? []);
}

/** Finds what a container's variables, working directory and image move. */
export function movedRoots(container: Container, objects: ReadObjects): Moved {
  const { workingDir, environment, environmentSources } = container;
  const isOwn = isKagents(container);
  const moving = settable(container);
  const setsHome = environment.has("HOME") || environmentSources.envFrom.length > 0;
  if (moving.length === 0 && !setsHome && !isOwn && workingDir === undefined) {
    if (mountOverPasswd(container) === undefined) return nothing;
  }
  const variable = containerVariables(container, objects);
  const working = workingOf(container);
  const at = working.paths.at(-1);
  const home = homeOf(variable("HOME"), container, at);
  const start = { homes: home.bases.map(({ path }) => path), workingDir: at };
  const moved = moving.map((one) => movedBy(one, variable(one.name), start));
  return {
    roots: [
      ...moved.flatMap(({ roots }) => roots),
      ...(isOwn ? [{ path: kagent.root, as: "kagent's plugins" }] : []),
    ],
    bases: [
      ...home.bases,
      ...working.paths.map((path) => ({ path, as: "the container's workingDir" })),
      ...moved.flatMap(({ bases }) => bases),
    ],
    unknown:
      home.unknown ??
      moved.find(({ unknown }) => unknown !== undefined)?.unknown ??
      unknownWorkingDir(working),
    unknownRoots: moved.flatMap(({ unknownRoots }) => unknownRoots),
  };
}

/** Absolute roots of the agents' table, with the agents. */
export const absoluteAgentRoots: readonly Reason[] = agents.flatMap(({ name, roots = [] }) =>
  roots.filter((root) => root.startsWith("/")).map((path) => ({ path, as: name })),
);
