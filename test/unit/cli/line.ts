import type { CommandLine } from "../../../src/cli/command-line.ts";
import { buildProgram, runCommandLine } from "../../../src/cli/program.ts";

export const refuse = () => Promise.reject(new Error("not expected"));

/** Ports of a command line that may do nothing. */
export const portsThatRefuse: CommandLine = {
  version: "1.2.3",
  stdout: { write: () => undefined, isTerminal: false },
  stderr: { write: () => undefined, isTerminal: false },
  readStdin: refuse,
  now: () => 0,
  colour: true,
  readSkillDirectory: refuse,
  openOffline: refuse,
  openCluster: refuse,
  serveFlags: refuse,
  serve: refuse,
  unregister: refuse,
  canary: refuse,
};

/** Every command of the program. */
export const commandNames = buildProgram(portsThatRefuse, () => undefined).commands.map((command) =>
  command.name(),
);

/** Runs the command line with ports that refuse everything but the given ones. */
export async function run(args: readonly string[], over: Partial<CommandLine> = {}) {
  const out: string[] = [];
  const err: string[] = [];
  const line: CommandLine = {
    ...portsThatRefuse,
    stdout: { write: (text) => void out.push(text), isTerminal: false },
    stderr: { write: (text) => void err.push(text), isTerminal: false },
    ...over,
  };
  const code = await runCommandLine(args, line);
  return { code, out: out.join(""), err: err.join("") };
}
