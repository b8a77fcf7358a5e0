import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

/** The project's root, two folders above this file's folder. */
export const root = join(import.meta.dirname, "../..");

/** The Helm chart's folder in the repository. */
export const chart = "charts/skill-admission";

/** Generated text by its path in the repository. */
export type GeneratedFiles = ReadonlyMap<string, string>;

async function writeAll(files: GeneratedFiles): Promise<void> {
  for (const [path, text] of files) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
}

/** Paths whose file is missing or differs. */
export async function stale(files: GeneratedFiles): Promise<readonly string[]> {
  const checked = await Promise.all(
    [...files].map(async ([path, text]) => {
      const found = await readFile(join(root, path), "utf8").catch(() => undefined);
      return found === text ? [] : [path];
    }),
  );
  return checked.flat();
}

/**
 * Writes the files. With `--check` on the command line it writes nothing, and the process fails if one is outdated.
 */
export async function writeOrCheck(files: GeneratedFiles): Promise<void> {
  if (!process.argv.includes("--check")) {
    await writeAll(files);
    return;
  }
  const paths = await stale(files);
  if (paths.length === 0) return;
  console.error(`not as generated: ${paths.join(", ")}; run "npm run generate"`);
  process.exitCode = 1;
}
