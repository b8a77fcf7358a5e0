import { Argument, type Command } from "commander";

import { exitCode, type CommandLine } from "../command-line.ts";
import { completionScript, shells, type Shell } from "../completion/completion.ts";
import type { Ending } from "./options.ts";

/** Adds `completion SHELL` with its help. */
export function addCompletion(program: Command, line: CommandLine, end: Ending): void {
  program
    .command("completion")
    .summary("write what a shell needs to complete commands and options")
    .description(
      "Write a script that has the shell complete commands, options and their values\n" +
        "at the Tab key. It asks this program nothing: after an update, load it again.",
    )
    .addArgument(new Argument("<shell>", "whose script").choices(shells))
    .addHelpText(
      "after",
      `
Exit code: 0, or 2 for another shell.

Examples:
  source <(skill-admission completion bash)
  skill-admission completion zsh > ~/.zfunc/_skill-admission
  skill-admission completion fish | source

To have it in every shell, put the line for bash into ~/.bashrc, the file for
zsh into a folder of fpath (before compinit), and that for fish into
~/.config/fish/completions/skill-admission.fish.`,
    )
    .action((shell: Shell) => {
      line.stdout.write(completionScript(program, shell));
      end(exitCode.pass);
    });
}
