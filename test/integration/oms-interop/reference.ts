import { execFile } from "node:child_process";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

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
    await run(process.env["PYTHON"] ?? "python3", ["-m", "venv", partial]);
    // Run as a module: the scripts in bin/ know the folder under which they were made.
    await run(join(partial, "bin/python"), [
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

/** What the reference's command line said. */
export interface ReferenceResult {
  readonly ok: boolean;
  readonly output: string;
}

/** Runs `model_signing` with these arguments. */
export async function modelSigning(python: string, args: readonly string[]): Promise<ReferenceResult> {
  try {
    const { stdout, stderr } = await run(python, ["-m", "model_signing", ...args]);
    return { ok: true, output: stdout + stderr };
  } catch (cause) {
    const { stdout = "", stderr = "" } = cause as { stdout?: string; stderr?: string };
    return { ok: false, output: stdout + stderr };
  }
}
