import { Command, CommanderError } from "commander";

import { printableLines } from "../text/printable.ts";
import { exitCode, UsageError, type CommandLine, type ServeFlag } from "./command-line.ts";
import { addApply } from "./commands/apply.ts";
import { addCanary } from "./commands/canary.ts";
import { addCompletion } from "./commands/completion.ts";
import type { Ending } from "./commands/options.ts";
import { addPackage } from "./commands/package.ts";
import { addServe } from "./commands/serve.ts";
import { addSign } from "./commands/sign.ts";
import { addUnregister } from "./commands/unregister.ts";
import { addVerify } from "./commands/verify.ts";

/**
 * Builds the command line: commands, options, help.
 * @param end receives the exit code of the command that ran
 * @param serveFlags options of `serve`; loading them takes time, so other commands go without
 */
export function buildProgram(line: CommandLine, end: Ending, serveFlags: readonly ServeFlag[] = []): Command {
  const program = new Command("skill-admission")
    .description("Kubernetes admission control for AI agent skills: signatures, cards and policies.")
    .version(line.version)
    .showHelpAfterError("(add --help for how to call it)")
    .configureOutput({
      writeOut: line.stdout.write,
      writeErr: line.stderr.write,
      getOutHelpWidth: () => line.stdout.columns ?? 80,
      getErrHelpWidth: () => line.stderr.columns ?? 80,
      getOutHasColors: () => line.stdout.isTerminal && line.colour,
      getErrHasColors: () => line.stderr.isTerminal && line.colour,
    })
    .exitOverride();
  addVerify(program, line, end);
  addApply(program, line, end);
  addSign(program, line, end);
  addPackage(program, line, end);
  addServe(program, line, end, serveFlags);
  addUnregister(program, line, end);
  addCanary(program, line, end);
  addCompletion(program, line, end);
  return program;
}

/** First the fault, last the remedy. */
function errorText(error: UsageError): string {
  const remedy = error.remedy === undefined ? "" : `${error.remedy}\n`;
  return `error: ${printableLines(error.message)}\n${remedy}`;
}

/**
 * Runs one call of the command line. Never rejects for a caller's mistake; a fault of the program passes through.
 * @param args the arguments after the program's name
 * @returns the exit code
 */
export async function runCommandLine(args: readonly string[], line: CommandLine): Promise<number> {
  let code: number = exitCode.pass;
  const serveFlags = args.includes("serve") || args.includes("completion") ? await line.serveFlags() : [];
  const ending: Ending = (ended) => {
    code = ended;
  };
  const program = buildProgram(line, ending, serveFlags);
  try {
    await program.parseAsync(args, { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.pass : exitCode.usage;
    if (!(error instanceof UsageError)) throw error;
    line.stderr.write(errorText(error));
    return exitCode.usage;
  }
}
