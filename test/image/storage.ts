import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, open, readFile, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** Outside the repository, so that a fresh clone builds upon what is there. */
export const cacheFolder = join(homedir(), ".cache/skill-admission/image");

/** What buildah forgets when the machine restarts; for each storage its own. */
const runFolder = `/run/skill-admission-${createHash("sha256").update(cacheFolder).digest("hex").slice(0, 12)}`;

/**
 * Runs a program to its end.
 * @throws Error with the end of what it said, where it fails
 */
export function run(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { env: { ...process.env, ...env }, maxBuffer: 256 * 1024 * 1024 };
    execFile(program, args, options, (error, stdout, stderr) => {
      if (error === null) {
        resolve(stdout);
        return;
      }
      const said = `${stdout}\n${stderr}`.trim().split("\n").slice(-25).join("\n");
      const missing = (error.code as unknown) === "ENOENT";
      const why = missing ? "is not installed: apt-get install buildah debootstrap runc" : `failed:\n${said}`;
      reject(new Error(`${[program, ...args.slice(0, 12)].join(" ")} ${why}`));
    });
  });
}

/** Debian's buildah on a storage of the tests' own: nothing of the machine's other images is read or changed. */
export class Buildah {
  readonly #driver: string;

  private constructor(driver: string) {
    this.#driver = driver;
  }

  /** Overlay where the file system can do it; elsewhere, such as on overlay itself, plain copies. */
  static async open(): Promise<Buildah> {
    if (process.getuid?.() !== 0) throw new Error("the image tests unpack file systems: run them as root");
    await mkdir(cacheFolder, { recursive: true });
    const note = join(cacheFolder, "storage-driver");
    const known = await readFile(note, "utf8").catch(() => "");
    if (known !== "") return new Buildah(known);
    const overlay = new Buildah("overlay");
    const works = await overlay
      .run("from", "scratch")
      .then((container) => overlay.run("mount", container.trim()))
      .then(() => overlay.run("rm", "--all"))
      .then(
        () => true,
        () => false,
      );
    const driver = works ? "overlay" : "vfs";
    await writeFile(note, driver);
    return new Buildah(driver);
  }

  run(...args: readonly string[]): Promise<string> {
    const storage = [
      "--root",
      join(cacheFolder, `storage-${this.#driver}`),
      "--runroot",
      runFolder,
      "--storage-driver",
      this.#driver,
    ];
    return run("buildah", [...storage, ...args], { BUILDAH_ISOLATION: "chroot" });
  }

  has(image: string): Promise<boolean> {
    return this.run("inspect", "--type", "image", image).then(
      () => true,
      () => false,
    );
  }

  /** An image of one layer that holds a folder. */
  async commit(folder: string, image: string): Promise<void> {
    const container = (await this.run("from", "scratch")).trim();
    const path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    try {
      await this.run("add", "--quiet", container, folder, "/");
      await this.run("config", "--env", path, container);
      await this.run("commit", "--quiet", "--timestamp", "0", container, image);
    } finally {
      await this.run("rm", container);
    }
  }
}

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** One process at a time; a lock whose process is gone counts for nothing. */
export async function locked<T>(name: string, work: () => Promise<T>): Promise<T> {
  await mkdir(cacheFolder, { recursive: true });
  const path = join(cacheFolder, `${name}.lock`);
  for (;;) {
    const file = await open(path, "wx").catch(() => undefined);
    if (file !== undefined) {
      await file.writeFile(String(process.pid));
      await file.close();
      break;
    }
    const owner = Number(await readFile(path, "utf8").catch(() => ""));
    if (owner > 0 && !alive(owner)) await rm(path, { force: true });
    else await sleep(200);
  }
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}
