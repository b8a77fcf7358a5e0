import { printable } from "../../text/printable.ts";
import type { TextOutput } from "../command-line.ts";
import type { TableOutput } from "./table.ts";

/** One line on the terminal that names the present step and is erased at the end. */
export interface Progress {
  step(what: string): void;
  clear(): void;
}

const silent: Progress = { step: () => undefined, clear: () => undefined };

/**
 * Progress over `total` steps, which may become known on the way; silent for a single step, and where standard error is
 * no terminal.
 */
export function progress(stderr: TextOutput, total: number | (() => number)): Progress {
  if (!stderr.isTerminal || total === 1 || total === 0) return silent;
  const count = typeof total === "number" ? () => total : total;
  let done = 0;
  const width = Math.max((stderr.columns ?? 80) - 1, 20);
  return {
    step(what) {
      done += 1;
      stderr.write(`\r\u001b[K${`${done}/${count()} ${printable(what)}`.slice(0, width)}`);
    },
    clear: () => stderr.write("\r\u001b[K"),
  };
}

/** Output for tables. */
export const tableOutput = (line: {
  readonly stdout: TextOutput;
  readonly colour: boolean;
}): TableOutput => ({
  write: line.stdout.write,
  width: line.stdout.isTerminal ? (line.stdout.columns ?? 80) : 80,
  colour: line.stdout.isTerminal && line.colour,
});
