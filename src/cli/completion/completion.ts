import type { Command } from "commander";

import { bashCompletion } from "./bash.ts";
import { treeOf, type CommandTree } from "./command-tree.ts";
import { fishCompletion } from "./fish.ts";
import { zshCompletion } from "./zsh.ts";

const writers = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
} as const satisfies Readonly<Record<string, (tree: CommandTree) => string>>;

export type Shell = keyof typeof writers;

/** Shells that have a completion. */
export const shells = Object.keys(writers) as readonly Shell[];

/** A script that has a shell complete the commands, options and values of a program. */
export const completionScript = (program: Command, shell: Shell): string => writers[shell](treeOf(program));
