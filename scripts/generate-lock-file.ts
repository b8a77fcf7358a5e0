/**
 * Takes out of package-lock.json what belongs to one machine only: addresses of its registry, and `engines`. With
 * `--check` it writes nothing and fails where some is left.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { root, writeOrCheck } from "./generate/files.ts";
import { portableLockFile } from "./generate/lock-file.ts";

const name = "package-lock.json";

await writeOrCheck(new Map([[name, portableLockFile(await readFile(join(root, name), "utf8"))]]));
