import { createHash } from "node:crypto";
import {
  access,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import type { Source } from "../../scripts/image/build-arguments.ts";
import { builderCommands } from "../../scripts/image/builder-commands.ts";
import { type BaseImages, baseImages } from "./base-images.ts";
import { Buildah, cacheFolder, locked, run } from "./storage.ts";

const project = join(import.meta.dirname, "../..");

/** An image as a file, for `ctr -n k8s.io images import ARCHIVE`, and the name that it then has. */
export interface BuiltImage {
  readonly archive: string;
  readonly reference: string;
  /** What went in. */
  readonly digest: string;
  readonly source: Source;
  readonly bases: BaseImages;
}

/** What the Dockerfile may copy: the exceptions of .dockerignore. */
async function contextEntries(): Promise<readonly string[]> {
  const lines = (await readFile(join(project, ".dockerignore"), "utf8")).split("\n");
  const allowed = lines.filter((line) => line.startsWith("!")).map((line) => line.slice(1));
  return ["Dockerfile", ".dockerignore", ...allowed].sort();
}

async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

async function digestOf(folder: string): Promise<string> {
  const hash = createHash("sha256");
  for (const path of await filesBelow(folder)) {
    const bytes = await readFile(path);
    hash.update(`${path.slice(folder.length)}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest("hex");
}

interface Context {
  readonly folder: string;
  readonly digest: string;
}

/** The build's context in a folder of its own: what is hashed is what is built, whoever edits meanwhile. */
async function withContext<T>(work: (context: Context) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "skill-admission-context-"));
  try {
    for (const entry of await contextEntries()) {
      await mkdir(dirname(join(folder, entry)), { recursive: true });
      await cp(join(project, entry), join(folder, entry), { recursive: true });
    }
    return await work({ folder, digest: await digestOf(folder) });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The registry and the CA that npm uses on this machine, as the Dockerfile's secrets; nothing else of its settings. */
async function npmSecrets(scratch: string): Promise<readonly string[]> {
  const setting = async (key: string): Promise<string> => {
    const value = (await run("npm", ["config", "get", key, "--silent"])).trim();
    return value === "null" || value === "undefined" ? "" : value;
  };
  const ca = (await setting("cafile")) || (process.env["NODE_EXTRA_CA_CERTS"] ?? "");
  const npmrc = [
    `registry=${await setting("registry")}`,
    ...(ca === "" ? [] : ["cafile=/run/secrets/ca.crt"]),
  ];
  await writeFile(join(scratch, "npmrc"), `${npmrc.join("\n")}\n`);
  const secrets = ["--secret", `id=npmrc,src=${join(scratch, "npmrc")}`];
  return ca === "" ? secrets : [...secrets, "--secret", `id=ca,src=${ca}`];
}

interface BuildOptions {
  readonly folder: string;
  readonly source: Source;
  readonly bases: BaseImages;
  readonly reference: string;
  readonly archive: string;
  /** Without anything that an earlier build left. */
  readonly anew?: boolean;
}

async function build(buildah: Buildah, options: BuildOptions): Promise<void> {
  const { folder, source, bases, reference, archive } = options;
  const secrets = await mkdtemp(join(tmpdir(), "skill-admission-secrets-"));
  try {
    const commands = builderCommands({
      builder: "buildah",
      source,
      reference,
      context: folder,
      archive,
      more: { BUILD_IMAGE: bases.build, RUNTIME_IMAGE: bases.runtime },
      options: ["--quiet", "--pull-never", ...(await npmSecrets(secrets))],
      cached: options.anew !== true,
    });
    for (const command of commands) await buildah.run(...command);
  } finally {
    await rm(secrets, { recursive: true, force: true });
  }
}

/** Of the archives that were last used, as many stay; of the layers in between, as many. */
const keep = { archives: 4, layers: 60 } as const;

async function prune(buildah: Buildah): Promise<void> {
  const archives = (await readdir(cacheFolder)).filter((name) => name.endsWith(".tar"));
  const aged = await Promise.all(
    archives.map(async (name) => ({ name, time: (await stat(join(cacheFolder, name))).mtimeMs })),
  );
  for (const { name } of aged.sort((a, b) => b.time - a.time).slice(keep.archives))
    await rm(join(cacheFolder, name), { force: true });
  const layers = (await buildah.run("images", "--quiet", "--filter", "dangling=true")).trim().split("\n");
  if (layers.length > keep.layers) await buildah.run("rmi", "--prune");
}

/** What the image says about its source: in tests the digest of what went in, so that the same tree is built once. */
async function sourceOf({ folder }: Context, revision: string): Promise<Source> {
  const { version } = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as { version: string };
  return { version, revision, epoch: 1_790_000_000 };
}

/**
 * The product's image, built by its Dockerfile on bases that are made here. Built once for every content of what goes
 * in and kept outside the repository. Needs root and Debian's `buildah` and `debootstrap`; the first call of a machine
 * takes two to three minutes, one after a change of `src` half a minute, any other a second.
 *
 * @throws Error that says what is missing or what failed
 */
export async function buildImage(): Promise<BuiltImage> {
  return locked("build", async () => {
    const buildah = await Buildah.open();
    const bases = await baseImages(buildah);
    return withContext(async (context) => {
      const { folder, digest } = context;
      const key = createHash("sha256").update(`${bases.build} ${digest}`).digest("hex").slice(0, 40);
      const source = await sourceOf(context, key);
      const reference = `localhost/skill-admission:${source.version}`;
      const archive = join(cacheFolder, `${key}.tar`);
      const there = await access(archive).then(
        () => true,
        () => false,
      );
      if (there) await utimes(archive, new Date(), new Date());
      else {
        const partial = `${archive}.partial`;
        await rm(partial, { force: true });
        await build(buildah, { folder, source, bases, reference, archive: partial });
        await rename(partial, archive);
        await prune(buildah);
      }
      return { archive, reference, digest, source, bases };
    });
  });
}

/**
 * Builds an image once more from nothing but its bases, in another folder, into another archive.
 * @throws Error where what went in has changed since
 */
export async function buildAgain(image: BuiltImage, archive: string): Promise<void> {
  await locked("build", async () => {
    const buildah = await Buildah.open();
    const reference = `${image.reference}-again`;
    await withContext(async ({ folder, digest }) => {
      if (digest !== image.digest) throw new Error("somebody changed the sources between the two builds");
      await build(buildah, { ...image, folder, reference, archive, anew: true });
    });
    await buildah.run("rmi", reference);
  });
}
