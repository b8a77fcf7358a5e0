import { spawn, type ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { run } from "./storage.ts";

/** The parts of an image's configuration that matter here (OCI image-spec, config.md). */
export interface ImageConfig {
  readonly created: string;
  readonly config: {
    readonly User: string;
    readonly Env: readonly string[];
    readonly Entrypoint: readonly string[];
    readonly Cmd: readonly string[];
    readonly WorkingDir: string;
    readonly ExposedPorts: Readonly<Record<string, object>>;
    readonly Labels: Readonly<Record<string, string>>;
  };
}

interface Manifest {
  readonly config: { readonly digest: string };
  readonly layers: readonly { readonly digest: string; readonly size: number }[];
}

/** An image archive, unpacked as a container runtime would. */
export interface UnpackedImage {
  readonly folder: string;
  readonly rootfs: string;
  readonly config: ImageConfig;
  /** Digests of the layers as they are shipped, the base's first. */
  readonly layers: readonly string[];
  remove(): Promise<void>;
}

async function readImage(blobs: string, index: string): Promise<[ImageConfig, Manifest]> {
  const blob = async (digest: string): Promise<unknown> =>
    JSON.parse(await readFile(join(blobs, digest.replace(":", "/")), "utf8"));
  const { manifests } = JSON.parse(await readFile(index, "utf8")) as {
    readonly manifests: readonly { readonly digest: string }[];
  };
  const manifest = (await blob(manifests[0]?.digest ?? "")) as Manifest;
  return [(await blob(manifest.config.digest)) as ImageConfig, manifest];
}

/** Digests of an archive's layers, the base's first. */
export async function layersOf(archive: string): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), "skill-admission-layers-"));
  try {
    await run("tar", ["-xf", archive, "-C", folder]);
    const [, manifest] = await readImage(join(folder, "blobs"), join(folder, "index.json"));
    return manifest.layers.map(({ digest }) => digest);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export async function unpack(archive: string): Promise<UnpackedImage> {
  const folder = await mkdtemp(join(tmpdir(), "skill-admission-unpacked-"));
  const [rootfs, oci] = [join(folder, "rootfs"), join(folder, "oci")];
  await mkdir(rootfs);
  await mkdir(oci);
  await run("tar", ["-xf", archive, "-C", oci]);
  const [config, { layers }] = await readImage(join(oci, "blobs"), join(oci, "index.json"));
  for (const { digest } of layers)
    await run("tar", ["-xzpf", join(oci, "blobs", digest.replace(":", "/")), "-C", rootfs]);
  return {
    folder,
    rootfs,
    config,
    layers: layers.map(({ digest }) => digest),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

export interface ContainerOptions {
  /** What follows the image's entrypoint; its own command where absent. */
  readonly args?: readonly string[];
  /** Instead of the image's entrypoint and command. */
  readonly command?: readonly string[];
  readonly env?: readonly string[];
  /** Folders of this machine by their place in the container. */
  readonly readOnly?: Readonly<Record<string, string>>;
  readonly writable?: Readonly<Record<string, string>>;
}

/** A running container. */
export interface Container {
  readonly child: ChildProcess;
  /** What it wrote so far, both streams. */
  output(): string;
  signal(name: "TERM" | "INT" | "KILL"): Promise<void>;
  /** Its exit code, when it has ended. */
  ended(): Promise<number>;
}

const systemMounts = [
  { destination: "/proc", type: "proc", source: "proc" },
  { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "mode=755", "size=65536k"] },
];

/** What a pod under the Pod Security Standard "restricted" gets, with a read-only root on top. */
function runtimeConfig({ config: { config } }: UnpackedImage, options: ContainerOptions): object {
  const [uid = NaN, gid = NaN] = config.User.split(":").map(Number);
  const bind = (folders: Readonly<Record<string, string>> | undefined, mode: string): readonly object[] =>
    Object.entries(folders ?? {}).map(([destination, source]) => ({
      destination,
      source,
      type: "bind",
      options: ["bind", mode, "nosuid", "nodev"],
    }));
  const none: readonly string[] = [];
  return {
    ociVersion: "1.0.2",
    process: {
      terminal: false,
      user: { uid, gid },
      args: options.command ?? [...config.Entrypoint, ...(options.args ?? config.Cmd)],
      env: [...config.Env, ...(options.env ?? [])],
      cwd: config.WorkingDir,
      capabilities: { bounding: none, effective: none, inheritable: none, permitted: none, ambient: none },
      noNewPrivileges: true,
    },
    root: { path: "rootfs", readonly: true },
    hostname: "skill-admission",
    mounts: [...systemMounts, ...bind(options.readOnly, "ro"), ...bind(options.writable, "rw")],
    linux: {
      // The network stays this machine's, so that the tests reach the webhook on loopback.
      namespaces: ["pid", "ipc", "uts", "mount"].map((type) => ({ type })),
      maskedPaths: ["/proc/kcore", "/proc/keys", "/proc/sysrq-trigger"],
      readonlyPaths: ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys"],
    },
  };
}

/** Starts an unpacked image in runc: its own user, no capability, nothing writable but what is asked for. */
export async function start(image: UnpackedImage, options: ContainerOptions = {}): Promise<Container> {
  const name = `skill-admission-${randomUUID()}`;
  await writeFile(join(image.folder, "config.json"), JSON.stringify(runtimeConfig(image, options)));
  const child = spawn("runc", ["run", "--bundle", image.folder, name], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout.on("data", (part: Buffer) => (output += part.toString()));
  child.stderr.on("data", (part: Buffer) => (output += part.toString()));
  const closed = once(child, "close") as Promise<[number | null]>;
  return {
    child,
    output: () => output,
    signal: async (signal) => {
      await run("runc", ["kill", name, signal]);
    },
    ended: async () => {
      const [code] = await closed;
      return code ?? -1;
    },
  };
}

/** Runs a container to its end. */
export async function runToEnd(
  image: UnpackedImage,
  options: ContainerOptions,
): Promise<{ readonly code: number; readonly output: string }> {
  const container = await start(image, options);
  const code = await container.ended();
  return { code, output: container.output() };
}
