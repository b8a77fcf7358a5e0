import type { CommandTree, CompletedCommand, CompletedOption, Value } from "./command-tree.ts";

/** Text in single quotes. */
const quoted = (text: string): string => `'${text.replaceAll(/[\\']/g, "\\$&")}'`;

function offerOf(value: Value): string {
  switch (value.kind) {
    case "words":
      return `-x -a ${quoted(value.words.join(" "))}`;
    case "folder":
      return `-x -a '(__fish_complete_directories)'`;
    case "path":
      return "-r -F";
    case "text":
      return "-x";
  }
}

function optionLine(start: string, { names, description, value }: CompletedOption): string {
  const flags = names.map((name) => (name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
  return [
    start,
    ...flags,
    ...(value === undefined ? [] : [offerOf(value)]),
    `-d ${quoted(description)}`,
  ].join(" ");
}

/** Offers for what is no option: `-x` belongs to values of options. */
const argumentOf = (value: Value): string => offerOf(value).replace(/^-[xr] /, "");

function linesOf(
  program: string,
  { name, description, options, argument }: CompletedCommand,
): readonly string[] {
  const start = `complete -c ${program} -n '__fish_seen_subcommand_from ${name}'`;
  return [
    `complete -c ${program} -n __fish_use_subcommand -a ${name} -d ${quoted(description)}`,
    ...options.map((option) => optionLine(start, option)),
    ...(argument === undefined ? [] : [`${start} ${argumentOf(argument)}`]),
  ];
}

/** Completion for fish. */
export function fishCompletion({ program, options, commands }: CommandTree): string {
  return [
    `# Completion of ${program} for fish: ${program} completion fish | source`,
    `complete -c ${program} -e`,
    `complete -c ${program} -f`,
    ...options.map((option) => optionLine(`complete -c ${program} -n __fish_use_subcommand`, option)),
    ...commands.flatMap((command) => linesOf(program, command)),
    "",
  ].join("\n");
}
