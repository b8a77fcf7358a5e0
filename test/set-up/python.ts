import { execFile } from "node:child_process";
import { copyFile, mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

const stamp = "requirements.txt";
const debianWheels = "usr/share/python-wheels";

const howToGetIt = `Python packages could not be installed. They need
  - Python 3.10 or newer, as python3 or PYTHON=/path/to/python3, with pip or venv; of a Debian without python3-venv pip is
    fetched by "apt-get download", which wants the lists of "apt-get update"
  - a package index that pip can reach: PIP_INDEX_URL, or PIP_FIND_LINKS with PIP_NO_INDEX=1 for a folder of wheels`;

/** Debian's own pip, where its Python has none: fetched and unpacked without rights, not installed. */
async function debianPip(folder: string): Promise<string> {
  const unpacked = join(folder, "debian");
  await mkdir(unpacked, { recursive: true });
  await run("apt-get", ["download", "-q", "python3-pip-whl"], { cwd: unpacked });
  const [archive = ""] = (await readdir(unpacked)).filter((name) => name.endsWith(".deb"));
  await run("dpkg-deb", ["-x", join(unpacked, archive), unpacked]);
  const wheels = join(unpacked, debianWheels);
  const wheel = (await readdir(wheels)).find((name) => /^pip-.*\.whl$/.test(name));
  if (wheel === undefined) throw new Error(`${archive} holds no pip`);
  // A wheel is an archive that Python runs from.
  return join(wheels, wheel, "pip");
}

async function newEnvironment(folder: string): Promise<readonly string[]> {
  const python = process.env["PYTHON"] ?? "python3";
  const whole = await run(python, ["-c", "import ensurepip"]).then(
    () => true,
    () => false,
  );
  await run(python, ["-m", "venv", ...(whole ? [] : ["--without-pip"]), folder]);
  // Run as a module: the scripts in bin/ know the folder under which they were made.
  return whole ? ["-m", "pip"] : [await debianPip(folder)];
}

/** Does an environment hold what a file of requirements says? */
export async function holds(folder: string, requirements: string): Promise<boolean> {
  const installed = await readFile(join(folder, stamp), "utf8").catch(() => undefined);
  return installed === (await readFile(requirements, "utf8"));
}

/**
 * The Python of a virtual environment that holds what a file of requirements says; made on first use, and again when
 * the file has changed.
 * @param folder where it is kept
 * @throws Error that says what is missing
 */
export async function pythonWith(requirements: string, folder: string): Promise<string> {
  const python = join(folder, "bin/python");
  if (await holds(folder, requirements)) return python;
  const partial = `${folder}.${process.pid}`;
  try {
    await mkdir(dirname(folder), { recursive: true });
    const pip = await newEnvironment(partial);
    const quietly = ["--quiet", "--disable-pip-version-check", "--no-deps", "-r", requirements];
    await run(join(partial, "bin/python"), [...pip, "install", ...quietly]);
    await copyFile(requirements, join(partial, stamp));
    // Another process may have been faster, and have it in use.
    if (!(await holds(folder, requirements))) {
      await rm(folder, { recursive: true, force: true });
      await rename(partial, folder);
    }
    return python;
  } catch (cause) {
    throw new Error(`${howToGetIt}\n${(cause as Error).message}`, { cause });
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}
