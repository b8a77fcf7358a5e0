/** Builds etcd, kube-apiserver and kube-controller-manager from their Go modules, for machines that have no other copy. */
import { spawn } from "node:child_process";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { hasGo, installGo } from "../../set-up/go.ts";

const kubernetes = "v1.36.3";
const staging = kubernetes.replace("v1.", "v0.");
const etcd = "v3.6.16";

/** Runs Go in a folder of its own. */
type Go = (folder: string, args: readonly string[]) => Promise<string>;

/** @param work where all that Go fetches and makes lies, so that it can be removed afterwards */
function goIn(work: string, program: string): Go {
  const env = {
    ...process.env,
    CGO_ENABLED: "0",
    GOFLAGS: "-mod=mod -modcacherw",
    GOWORK: "off",
    GOMODCACHE: join(work, "modules"),
    GOCACHE: join(work, "objects"),
    GOTMPDIR: work,
  };
  return (folder, args) =>
    new Promise((resolve, reject) => {
      const child = spawn(program, args, { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
      let stdout = "";
      let stderr = "";
      child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
      child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
      child.once("error", reject);
      child.once("close", (code) => {
        if (code === 0) resolve(stdout);
        else
          reject(new Error(`go ${args.join(" ")} ended with ${code ?? "a signal"}:\n${stderr.slice(-2000)}`));
      });
    });
}

/** Kubernetes' own libraries are replaced by folders beside it, which a module that requires it has to say anew. */
export const stagingModules = (goMod: string): readonly string[] =>
  [...goMod.matchAll(/^\s*(?:replace\s+)?(k8s\.io\/\S+)\s+=>\s+\.\/staging\//gm)].map(
    (match) => match[1] ?? "",
  );

async function kubernetesModule(go: Go, folder: string): Promise<void> {
  const module = join(folder, "go.mod");
  await writeFile(module, "module control-plane\n\ngo 1.26\n");
  const downloaded = await go(folder, ["mod", "download", "-json", `k8s.io/kubernetes@${kubernetes}`]);
  const { GoMod } = JSON.parse(downloaded) as { readonly GoMod: string };
  const names = stagingModules(await readFile(GoMod, "utf8"));
  const replaces = names.map((name) => `replace ${name} => ${name} ${staging}`).join("\n");
  await writeFile(
    module,
    `module control-plane\n\ngo 1.26\n\nrequire k8s.io/kubernetes ${kubernetes}\n\n${replaces}\n`,
  );
}

function kubernetesFlags(): string {
  const [major = "", minor = ""] = kubernetes.slice(1).split(".");
  const said = { gitVersion: kubernetes, gitMajor: major, gitMinor: minor };
  const set = Object.entries(said).map(
    ([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`,
  );
  return ["-s -w", ...set].join(" ");
}

async function etcdModule(folder: string): Promise<void> {
  const module = `module control-plane-etcd\n\ngo 1.26\n\nrequire go.etcd.io/etcd/server/v3 ${etcd}\n`;
  await writeFile(join(folder, "go.mod"), module);
}

async function buildAll(go: Go, work: string, output: string): Promise<void> {
  const [kubernetesFolder, etcdFolder] = [join(work, "kubernetes"), join(work, "etcd")];
  for (const folder of [kubernetesFolder, etcdFolder, output]) await mkdir(folder, { recursive: true });
  const build = async (folder: string, name: string, packageName: string, flags = "-s -w"): Promise<void> => {
    const start = performance.now();
    console.log(`  building ${name}`);
    await go(folder, ["build", "-trimpath", "-ldflags", flags, "-o", join(output, name), packageName]);
    console.log(`  built ${name} in ${Math.round((performance.now() - start) / 1000)} s`);
  };
  console.log(`  fetching Kubernetes ${kubernetes}`);
  await kubernetesModule(go, kubernetesFolder);
  for (const name of ["kube-apiserver", "kube-controller-manager"])
    await build(kubernetesFolder, name, `k8s.io/kubernetes/cmd/${name}`, kubernetesFlags());
  await etcdModule(etcdFolder);
  await build(etcdFolder, "etcd", "go.etcd.io/etcd/server/v3");
}

/**
 * Builds them into a folder, which appears when all are there. What was fetched and compiled until a failure is used
 * when it is tried again, and removed at the end.
 */
export async function buildControlPlane(target: string): Promise<void> {
  const work = `${target}.work`;
  const output = join(work, "output");
  const go = await hasGo();
  console.log(
    `building a control plane for the cluster tests, once: etcd, kube-apiserver, kube-controller-manager from their Go modules; ` +
      `about ${go ? 160 : 230} MB to fetch${go ? "" : ", Go among it"}, 4 GB of disk meanwhile, 5 to 10 minutes; kept in ${target} (230 MB)`,
  );
  await mkdir(work, { recursive: true });
  if (!go) console.log("  fetching Go");
  await buildAll(goIn(work, go ? "go" : await installGo(work)), work, output);
  await mkdir(dirname(target), { recursive: true });
  await rename(output, target);
  await rm(work, { recursive: true, force: true });
}
