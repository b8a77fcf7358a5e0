import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

const execute = promisify(execFile);

const projectRoot = resolve(import.meta.dirname, "../../..");
const requirements = join(import.meta.dirname, "requirements.txt");
const environment = join(projectRoot, ".cache/venv");
const stamp = "requirements.txt";

const howToGetIt = `the interop tests need the reference implementation (model-signing, from PyPI), which they install into ${environment}:
  - Python 3.10 or newer with venv: apt-get install python3 python3-venv, or PYTHON=/path/to/python3
  - a package index that pip can reach: PIP_INDEX_URL, or PIP_FIND_LINKS with PIP_NO_INDEX=1 for a folder of wheels`;

const isReady = async (wanted: string): Promise<boolean> =>
  (await readFile(join(environment, stamp), "utf8").catch(() => "")) === wanted;

/**
 * The Python of a virtual environment in which the reference is installed; made on first use, kept in `.cache/`.
 * @throws Error that says how to get it
 */
export async function referencePython(): Promise<string> {
  const wanted = await readFile(requirements, "utf8");
  const python = join(environment, "bin/python");
  if (await isReady(wanted)) return python;
  const partial = `${environment}.${process.pid}`;
  try {
    await mkdir(join(projectRoot, ".cache"), { recursive: true });
    await execute(process.env["PYTHON"] ?? "python3", ["-m", "venv", partial]);
    // Run as a module: the scripts in bin/ know the folder under which they were made.
    await execute(join(partial, "bin/python"), [
      "-m",
      "pip",
      "install",
      "--quiet",
      "--no-deps",
      "-r",
      requirements,
    ]);
    await writeFile(join(partial, stamp), wanted);
    await rm(environment, { recursive: true, force: true });
    await rename(partial, environment);
  } catch (cause) {
    await rm(partial, { recursive: true, force: true });
    throw new Error(`${howToGetIt}\n${(cause as Error).message}`, { cause });
  }
  return python;
}

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
