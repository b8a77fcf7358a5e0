import type { CommandLine } from "../../../src/cli/command-line.ts";
import { runCommandLine } from "../../../src/cli/program.ts";

export const refuse = () => Promise.reject(new Error("not expected"));

/** Runs the command line with ports that refuse everything but what is given here. */
export async function run(args: readonly string[], over: Partial<CommandLine> = {}) {
  const out: string[] = [];
  const err: string[] = [];
  const line: CommandLine = {
    version: "1.2.3",
    stdout: { write: (text) => void out.push(text), isTerminal: false },
    stderr: { write: (text) => void err.push(text), isTerminal: false },
    readStdin: refuse,
    now: () => 0,
    colour: true,
    readSkillDirectory: refuse,
    openOffline: refuse,
    openCluster: refuse,
    serveFlags: refuse,
    serve: refuse,
    unregister: refuse,
    ...over,
  };
  const code = await runCommandLine(args, line);
  return { code, out: out.join(""), err: err.join("") };
}
