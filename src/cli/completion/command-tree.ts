import type { Command, Option } from "commander";

/** What may stand in a place of a call: one of some words, a path, or what nobody can guess. */
export type Value =
  | { readonly kind: "words"; readonly words: readonly string[] }
  | { readonly kind: "path" }
  | { readonly kind: "folder" }
  | { readonly kind: "text" };

export interface CompletedOption {
  /** `-o` and `--output`, as many as there are. */
  readonly names: readonly string[];
  readonly description: string;
  /** Absent for a switch. */
  readonly value?: Value;
  readonly isRepeatable: boolean;
}

export interface CompletedCommand {
  readonly name: string;
  readonly description: string;
  readonly options: readonly CompletedOption[];
  /** Of what is no option; absent where a command takes nothing. */
  readonly argument?: Value;
}

/** What shells complete of a program. */
export interface CommandTree {
  readonly program: string;
  readonly options: readonly CompletedOption[];
  readonly commands: readonly CompletedCommand[];
}

/** Value by its choices, else by its name in the help: `<file>`, `<dir...>`. */
function valueOf(name: string, choices: readonly string[] | undefined): Value {
  if (choices !== undefined) return { kind: "words", words: choices };
  if (/^dir$/.test(name)) return { kind: "folder" };
  return { kind: /^(?:file|path)$/.test(name) ? "path" : "text" };
}

/** Help has lines and long sentences; a list of completions has room for the first clause. */
const brief = (text: string): string =>
  text
    .replaceAll(/\s+/g, " ")
    .split(/ \(|; /)[0]
    ?.trim() ?? "";

function optionOf(option: Option): CompletedOption {
  const { short, long, required, flags, argChoices, description, parseArg, variadic } = option;
  const [, placeholder = ""] = /[<[]([^>\].]+)/.exec(flags) ?? [];
  return {
    names: [short, long].filter((name) => name !== undefined),
    description: brief(description),
    ...(required ? { value: valueOf(placeholder, argChoices) } : {}),
    isRepeatable: variadic || parseArg !== undefined,
  };
}

const help: CompletedOption = { names: ["-h", "--help"], description: "show the help", isRepeatable: false };

function commandOf(command: Command): CompletedCommand {
  const [argument] = command.registeredArguments;
  return {
    name: command.name(),
    description: brief(command.summary()),
    options: [...command.options.map(optionOf), help],
    ...(argument === undefined ? {} : { argument: valueOf(argument.name(), argument.argChoices) }),
  };
}

/** Commands, options and values of a program. */
export function treeOf(program: Command): CommandTree {
  const commands = program.commands.map(commandOf);
  const names: Value = { kind: "words", words: commands.map(({ name }) => name) };
  return {
    program: program.name(),
    options: [...program.options.map(optionOf), help],
    commands: [
      ...commands,
      { name: "help", description: "show the help of a command", options: [], argument: names },
    ],
  };
}
