import { InvalidArgumentError, Option } from "commander";

import { outputFormats } from "../report/reporter.ts";

/** Receives the exit code of a command. */
export type Ending = (code: number) => void;

const collect = (value: string, previous: readonly string[] | undefined): readonly string[] => [
  ...(previous ?? []),
  value,
];

/** Option that may be repeated; its values form a list. */
export const repeatable = (flags: string, description: string): Option =>
  new Option(flags, description).argParser(collect);

function once(value: string, previous: string | undefined): string {
  if (previous === undefined) return value;
  throw new InvalidArgumentError("It is given already; several publishers go into a policy (--policy).");
}

/** Option that may be given once: commander would keep only the last of two publishers, without a word. */
export const single = (flags: string, description: string): Option =>
  new Option(flags, description).argParser(once);

/** `-o` of `verify` and `apply`. */
export const outputOption = (): Option =>
  new Option("-o, --output <format>", "how to write the result").choices(outputFormats).default("table");

/** `--policy`. */
export const policyOption = (): Option =>
  repeatable(
    "--policy <path>",
    "file or folder with policies, trust roots and revocation lists; may be repeated",
  );

/** Exit codes, as a paragraph of a command's help. */
export const exitCodes = `
Exit code: 0 passed, 1 a policy is violated, 2 wrong call or bad input,
3 could not be evaluated.`;
