import { resolve, sep } from "node:path";
import type { RevocationLists } from "../../policy/trust/revocations.ts";
import { parseResource } from "../../policy/resource/parse.ts";
import type { ResourceProblem } from "../../policy/resource/problem.ts";
import { UsageError, type CommandLine } from "../command-line.ts";
import { readManifests } from "../files/manifests.ts";

/** True if a file is the one that was named, or lies in the folder that was named. */
const isFrom = (file: string, path: string): boolean =>
  file === path || resolve(file).startsWith(`${resolve(path)}${sep}`);

/**
 * Reads revocation lists from files that hold nothing else. Any other object is refused: a list with a misspelt kind
 * would revoke nothing, unnoticed.
 *
 * @param paths files or folders, `-` for standard input
 * @throws UsageError where a path cannot be read, holds no list or other objects, or a list is wrong
 */
export async function readRevocations(
  paths: readonly string[],
  line: Pick<CommandLine, "readStdin">,
): Promise<RevocationLists> {
  const { readRevocationLists } = await import("../../policy/trust/read-revocation-lists.ts");
  const manifests = await readManifests(paths, line, "verify --revocations -");
  const other = manifests.find(({ object }) => object.kind !== "SkillRevocationList");
  if (other !== undefined) {
    throw new UsageError(
      `${other.file} holds a ${String(other.object.kind).slice(0, 80)}, which is no SkillRevocationList`,
      "name files that hold nothing else, or give policies and lists together by --policy",
    );
  }
  const empty = paths.find((path) => !manifests.some(({ file }) => isFrom(file, path)));
  if (empty !== undefined)
    throw new UsageError(`there is no SkillRevocationList in ${empty}`, "name a file that holds one");
  const problems: ResourceProblem[] = [];
  const lists = readRevocationLists(
    manifests.map(({ object }) => object),
    parseResource,
    (problem) => problems.push(problem),
  );
  if (problems.length === 0) return lists;
  const faults = problems.map(({ kind, name, message }) => `${kind} ${name}: ${message}`);
  throw new UsageError(faults.join("\n"), "correct the list");
}
