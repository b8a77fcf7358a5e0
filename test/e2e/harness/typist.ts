import { chmod, cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { projectRoot } from "../../cluster/harness/binaries.ts";
import type { Shell } from "../../fixtures/documented.ts";
import type { Cluster } from "./cluster.ts";
import type { Machine } from "./machine.ts";

/** A clone of the project in which commands are typed. */
export interface Typist {
  readonly shell: Shell;
  readonly leave: () => Promise<void>;
}

const quoted = (words: readonly string[]): string =>
  words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");

/**
 * A clone, and a shell in which `kubectl`, `helm` and `ctr` are those of the test's cluster. Two things cannot be had
 * on a node of this machine, and others do instead: `kind` makes no cluster, for there is one and the image is in it;
 * `npm run image` builds none, which test/image does, but gives out the one that was built.
 */
export async function startTypist(cluster: Cluster, machine: Machine): Promise<Typist> {
  const clone = await mkdtemp(join(tmpdir(), "skill-admission-clone-"));
  const bin = join(clone, ".bin");
  await mkdir(bin);
  for (const name of ["package.json", "node_modules", "dist", "examples", "manifests", "kind-config.yaml"])
    await symlink(join(projectRoot, name), join(clone, name));
  // Helm packs no link to a folder.
  await cp(join(projectRoot, "charts"), join(clone, "charts"), { recursive: true });
  const script = async (name: string, text: string): Promise<void> => {
    await writeFile(join(bin, name), `#!/bin/sh\n${text}\n`);
    await chmod(join(bin, name), 0o755);
  };
  for (const name of ["kubectl", "helm"] as const)
    await script(name, `exec ${quoted(await cluster.command(name))} "$@"`);
  await script("ctr", `exec ${quoted(machine.ctr)} "$@"`);
  await script("kind", "exit 0");
  await script(
    "npm",
    `case "$*" in
      "run image") exit 0 ;;
      "run image -- --archive "*) cp ${quoted([cluster.archive ?? ""])} "$5" ;;
      *) PATH=${quoted([process.env["PATH"] ?? ""])} exec npm "$@" ;;
    esac`,
  );
  const PATH = [bin, process.env["PATH"]].join(delimiter);
  return {
    shell: { cwd: clone, env: { ...process.env, PATH } },
    leave: () => rm(clone, { recursive: true, force: true }),
  };
}
