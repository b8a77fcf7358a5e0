import { InvalidArgumentError, Option } from "commander";

import { outputFormats } from "../report/reporter.ts";

/** Where the exit code of a command goes. */
export type Ending = (code: number) => void;

const collect = (value: string, previous: readonly string[] | undefined): readonly string[] => [
  ...(previous ?? []),
  value,
];

/** An option that may be repeated; its values come as a list. */
export const repeatable = (flags: string, description: string): Option =>
  new Option(flags, description).argParser(collect);

function once(value: string, previous: string | undefined): string {
  if (previous === undefined) return value;
  throw new InvalidArgumentError("It is given already; several publishers go into a policy (--policy).");
}

/** An option that names one publisher: of two, the first would be forgotten without a word. */
export const single = (flags: string, description: string): Option =>
  new Option(flags, description).argParser(once);

/** `-o`, as `verify` and `apply` have it. */
export const outputOption = (): Option =>
  new Option("-o, --output <format>", "how to write the result").choices(outputFormats).default("table");

/** `--policy`. */
export const policyOption = (): Option =>
  repeatable(
    "--policy <path>",
    "file or folder with policies, trust roots and revocation lists; may be repeated",
  );

/** The paragraph on exit codes in a command's help. */
export const exitCodes = `
Exit code: 0 passed, 1 a policy is violated, 2 wrong call or bad input,
3 could not be evaluated.`;
