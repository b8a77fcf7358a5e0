import { createHash } from "node:crypto";
import { cp, mkdir, mkdtemp, readFile, realpath, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { type Buildah, run } from "./storage.ts";

/** Bases with Node, made on this machine: what a registry would give, without one. */
export interface BaseImages {
  /** Debian with node and npm. */
  readonly build: string;
  /** Node and the libraries that it is linked with; not even a shell. */
  readonly runtime: string;
}

/** npm as node:24 brings one. */
const npmVersion = "11.21.2";

/** Changes when the recipe does. */
const recipe = "2";

/** The distribution that this machine is, and where it gets it: what apt has not heard of yet, it asks for once. */
async function debian(updated = false): Promise<{ readonly mirror: string; readonly suite: string }> {
  const [, suite = ""] = /^VERSION_CODENAME=(\w+)$/m.exec(await readFile("/etc/os-release", "utf8")) ?? [];
  const format = "$(REPO_URI) $(CODENAME) $(COMPONENT)";
  const targets = await run("apt-get", ["indextargets", "--format", format, "Created-By: Packages"]);
  for (const line of targets.split("\n")) {
    const [mirror = "", codename, component] = line.split(" ");
    if (component === "main" && codename === suite && mirror.startsWith("http")) return { mirror, suite };
  }
  if (updated) throw new Error(`the image tests need a mirror for debootstrap: apt has none for "${suite}"`);
  await run("apt-get", ["update", "-qq"]);
  return debian(true);
}

async function addNode(root: string, scratch: string): Promise<void> {
  await cp(process.execPath, join(root, "usr/local/bin/node"));
  const npm = join(root, "usr/local/lib/node_modules/npm");
  await mkdir(npm, { recursive: true });
  await run("npm", ["pack", `npm@${npmVersion}`, "--silent", "--pack-destination", scratch]);
  await run("tar", ["-xzf", join(scratch, `npm-${npmVersion}.tgz`), "-C", npm, "--strip-components=1"]);
  for (const name of ["npm", "npx"])
    await symlink(`../lib/node_modules/npm/bin/${name}-cli.js`, join(root, "usr/local/bin", name));
}

/** Node with its libraries and the loader, at the paths that the loader looks at. */
async function nodeAlone(from: string, to: string): Promise<void> {
  const linked = await run("chroot", [from, "ldd", "/usr/local/bin/node"]);
  const libraries = [...linked.matchAll(/(\/\S+\.so\S*) \(0x/g)].map(([, path = ""]) => path);
  for (const path of [...libraries, "/usr/local/bin/node"]) {
    await mkdir(dirname(join(to, path)), { recursive: true });
    await cp(await realpath(join(from, path)), join(to, path));
  }
  await mkdir(join(to, "tmp"), { mode: 0o1777 });
}

/**
 * The two bases, made once for every Node, npm and Debian.
 * @throws Error that says what is missing
 */
export async function baseImages(buildah: Buildah): Promise<BaseImages> {
  const { mirror, suite } = await debian();
  const inputs = JSON.stringify([recipe, mirror, suite, process.arch, process.versions.node, npmVersion]);
  const key = createHash("sha256").update(inputs).digest("hex").slice(0, 12);
  const images = {
    build: `localhost/skill-admission-build-base:${key}`,
    runtime: `localhost/skill-admission-runtime-base:${key}`,
  };
  if ((await buildah.has(images.build)) && (await buildah.has(images.runtime))) return images;
  const scratch = await mkdtemp(join(tmpdir(), "skill-admission-base-"));
  try {
    const [full, small] = [join(scratch, "full"), join(scratch, "small")];
    await run("debootstrap", ["--variant=minbase", suite, full, mirror]);
    for (const kept of ["var/cache/apt", "var/lib/apt/lists"])
      await rm(join(full, kept), { recursive: true, force: true });
    await addNode(full, scratch);
    await nodeAlone(full, small);
    await buildah.commit(full, images.build);
    await buildah.commit(small, images.runtime);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return images;
}
