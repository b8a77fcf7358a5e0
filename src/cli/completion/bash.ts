import type { CommandTree, CompletedCommand, CompletedOption, Value } from "./command-tree.ts";

/** What answers for a value: words, readline's own files by no answer, or nothing at all. */
function answerTo(value: Value): string {
  switch (value.kind) {
    case "words":
      return `COMPREPLY=($(compgen -W "${value.words.join(" ")}" -- "$current"))`;
    case "folder":
      return "compopt +o default +o bashdefault -o dirnames 2>/dev/null";
    case "path":
      return ":";
    case "text":
      return "compopt +o default +o bashdefault 2>/dev/null";
  }
}

const valueCases = ({ name, options }: Pick<CompletedCommand, "name" | "options">): readonly string[] =>
  options.flatMap(({ names, value }) =>
    value === undefined
      ? []
      : [`    ${names.map((one) => `${name}:${one}`).join("|")}) ${answerTo(value)}; return ;;`],
  );

const flagsOf = (options: readonly CompletedOption[]): Value => ({
  kind: "words",
  words: options.flatMap(({ names }) => names),
});

function placeCases({ name, options, argument }: CompletedCommand): readonly string[] {
  return [
    ...(options.length === 0 ? [] : [`    ${name}:-*) ${answerTo(flagsOf(options))} ;;`]),
    `    ${name}:*) ${answerTo(argument ?? { kind: "text" })} ;;`,
  ];
}

/** Completion for bash from 3.2 on, without the package bash-completion. Where nothing is offered, readline offers files. */
export function bashCompletion({ program, options, commands }: CommandTree): string {
  const name = `_${program.replaceAll("-", "_")}`;
  const names = commands.map((command) => command.name);
  return [
    `# Completion of ${program} for bash: source <(${program} completion bash)`,
    `${name}() {`,
    `  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]} command= word`,
    `  # bash cuts --output=json into three words.`,
    `  if [ "$current" = "=" ]; then current=; elif [ "$previous" = "=" ]; then previous=\${COMP_WORDS[COMP_CWORD - 2]}; fi`,
    `  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do`,
    `    case $word in ${names.join("|")}) command=$word; break ;; esac`,
    `  done`,
    `  COMPREPLY=()`,
    `  case $command:$previous in`,
    ...valueCases({ name: "", options }),
    ...commands.flatMap(valueCases),
    `  esac`,
    `  case $command:$current in`,
    ...placeCases({ name: "", description: "", options, argument: { kind: "words", words: names } }),
    ...commands.flatMap(placeCases),
    `  esac`,
    `}`,
    `complete -o bashdefault -o default -F ${name} ${program}`,
    "",
  ].join("\n");
}
