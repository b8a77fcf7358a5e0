import { spawn } from "node:child_process";
import { once } from "node:events";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { holds, pythonWith } from "../../set-up/python.ts";

const environment = join(resolve(import.meta.dirname, "../../.."), ".cache/venv");
const requirements = join(import.meta.dirname, "requirements.txt");

/** Is the reference installed? */
export const hasReference = (): Promise<boolean> => holds(environment, requirements);

/**
 * The Python of a virtual environment in which the reference (model-signing, from PyPI) is installed; made on first use.
 * @throws Error that says how to get it
 */
export const referencePython = (): Promise<string> => pythonWith(requirements, environment);

/** Output of the reference's command line. */
export interface ReferenceResult {
  readonly ok: boolean;
  readonly output: string;
}

/** The reference's command line. */
export interface Reference {
  /** Runs `model_signing` with these arguments, in a process of its own. */
  run(args: readonly string[]): Promise<ReferenceResult>;
  close(): Promise<void>;
}

/**
 * Loads the reference once for many runs, which are done one after the other.
 * @throws Error that says how to get it
 */
export async function startReference(): Promise<Reference> {
  const python = await referencePython();
  const child = spawn(python, [join(import.meta.dirname, "reference.py")], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  const answers = createInterface(child.stdout)[Symbol.asyncIterator]();
  let last: Promise<unknown> = Promise.resolve();
  const run = async (args: readonly string[]): Promise<ReferenceResult> => {
    child.stdin.write(`${JSON.stringify(args)}\n`);
    const answer = await answers.next();
    if (answer.done === true) throw new Error(`${python} has ended: ${String(await ended)}`);
    return JSON.parse(answer.value) as ReferenceResult;
  };
  return {
    run: (args) => {
      const next = last.then(() => run(args));
      last = next.catch(() => undefined);
      return next;
    },
    close: async () => {
      child.stdin.end();
      await ended;
    },
  };
}
