import { defined } from "../../text/fields.ts";
import { cleanPath, isAbsolutePath } from "../pod/container-path.ts";
import { podLimits } from "../pod/limits.ts";
import { behindLinks } from "../pod/process-links.ts";

/** The folders that a text may name in a container, by each reading. */
export interface NamedFolders {
  /** Clean and absolute. */
  readonly paths: readonly string[];
  /** The reason why it may name others; absent: it does not. */
  readonly unknown?: string;
}

/** What a relative path starts from. */
export interface Start {
  readonly homes: readonly string[];
  /** Clean and absolute; undefined: the image decides. */
  readonly workingDir: string | undefined;
}

/** No longer one names a folder. */
const isPath = (path: string): boolean => path.length <= podLimits.pathLength;

/** Where a text leads if it is read as it stands; programs that know nothing of `~` take it for a folder's name. */
function readings(text: string, { homes, workingDir }: Start): NamedFolders {
  if (isAbsolutePath(text)) return { paths: [text] };
  const isInHome = text === "~" || text.startsWith("~/");
  const inHomes = isInHome ? homes.map((home) => `${home}/${text.slice(1)}`) : [];
  const isKnown = isInHome ? homes.length > 0 : workingDir !== undefined;
  return {
    paths: [...inHomes, `${workingDir ?? ""}/${text}`],
    ...defined({ unknown: isKnown ? undefined : "a relative path" }),
  };
}

/** The folders that a text names, for programs that look at its spaces, at `~` and at links of the kernel, and others. */
export function namedFolders(value: string, start: Start): NamedFolders {
  const trimmed = value.trim();
  const { paths, unknown } = readings(trimmed, start);
  const all = trimmed === value ? paths : [...paths, ...readings(value, start).paths];
  const led = all.map((path) => behindLinks(path, start.workingDir));
  const known = [...all.map(cleanPath), ...led.flatMap((path) => path ?? [])];
  return {
    paths: [...new Set(known)].filter(isPath),
    ...defined({ unknown: led.includes(undefined) ? "a link of the kernel's" : unknown }),
  };
}
