import type { Skill } from "../../skill/skill.ts";
import { SourceError } from "../../skill/source-error.ts";
import { UsageError, type CommandLine } from "../command-line.ts";

/**
 * Reads the whole skill in a folder.
 * @throws UsageError
 */
export async function readFolder(
  directory: string,
  { readSkillDirectory }: Pick<CommandLine, "readSkillDirectory">,
): Promise<Skill> {
  try {
    return await readSkillDirectory(directory);
  } catch (cause) {
    if (cause instanceof SourceError) throw new UsageError(cause.message, undefined, { cause });
    throw cause;
  }
}
