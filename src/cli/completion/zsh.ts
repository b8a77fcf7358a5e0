import type { CommandTree, CompletedCommand, CompletedOption, Value } from "./command-tree.ts";

/** Text in single quotes. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** Text in a specification of `_arguments`, where these characters have a meaning. */
const escaped = (text: string): string => text.replaceAll(/[\\[\]:]/g, "\\$&");

function actionOf(value: Value): string {
  switch (value.kind) {
    case "words":
      return `(${value.words.join(" ")})`;
    case "folder":
      return "_directories";
    case "path":
      return "_files";
    case "text":
      return " ";
  }
}

function specificationOf({ names, description, value, isRepeatable }: CompletedOption): string {
  const suffix = `[${escaped(description)}]${value === undefined ? "" : `:value:${actionOf(value)}`}`;
  const [first = ""] = names;
  if (isRepeatable) return names.map((one) => quoted(`*${one}${suffix}`)).join(" ");
  if (names.length === 1) return quoted(`${first}${suffix}`);
  return `${quoted(`(${names.join(" ")})`)}{${names.join(",")}}${quoted(suffix)}`;
}

function caseOf({ name, options, argument }: CompletedCommand): readonly string[] {
  const specifications = [
    ...options.map(specificationOf),
    ...(argument === undefined ? [] : [quoted(`*:argument:${actionOf(argument)}`)]),
  ];
  return [
    `    ${name})`,
    `      _arguments -s \\`,
    specifications.map((one) => `        ${one}`).join(" \\\n"),
    `      ;;`,
  ];
}

/** Completion for zsh, to be sourced, or put as `_skill-admission` into a folder of `fpath`. */
export function zshCompletion({ program, options, commands }: CommandTree): string {
  const name = `_${program}`;
  return [
    `#compdef ${program}`,
    `# Completion of ${program} for zsh: source <(${program} completion zsh)`,
    `${name}() {`,
    `  local -a commands`,
    `  commands=(`,
    ...commands.map((command) => `    ${quoted(`${command.name}:${command.description}`)}`),
    `  )`,
    `  if (( CURRENT == 2 )); then`,
    `    _describe command commands`,
    `    _arguments ${options.map(specificationOf).join(" ")}`,
    `    return`,
    `  fi`,
    `  local command=$words[2]`,
    `  shift words`,
    `  (( CURRENT-- ))`,
    `  case $command in`,
    ...commands.flatMap(caseOf),
    `  esac`,
    `}`,
    `if [[ $funcstack[1] == ${name} ]]; then ${name} "$@"; else compdef ${name} ${program}; fi`,
    "",
  ].join("\n");
}
