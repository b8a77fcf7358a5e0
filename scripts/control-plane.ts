/**
 * Builds etcd, kube-apiserver and kube-controller-manager from their Go modules, for the cluster tests on machines
 * that have Go and no other copy. Some minutes; kept outside the repository, so that once is enough.
 */
import { spawn } from "node:child_process";
import { access, constants, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";

const kubernetes = "v1.36.3";
const staging = kubernetes.replace("v1.", "v0.");
const etcd = "v3.6.16";
const target = join(homedir(), `.cache/skill-admission/control-plane-${kubernetes}`);

function go(folder: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn("go", args, {
      cwd: folder,
      env: { ...process.env, CGO_ENABLED: "0", GOFLAGS: "-mod=mod", GOWORK: "off" },
      stdio: ["ignore", "pipe", "inherit"],
    });
    let stdout = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.once("error", (cause) =>
      reject(new Error("go cannot be run: install Go 1.26 or newer, or set KUBEBUILDER_ASSETS", { cause })),
    );
    child.once("close", (code) =>
      code === 0
        ? resolve(stdout)
        : reject(new Error(`go ${args.join(" ")} ended with ${code ?? "a signal"}`)),
    );
  });
}

/** Kubernetes' own libraries are replaced by folders beside it, which a module that requires it has to say anew. */
async function stagingModules(folder: string): Promise<readonly string[]> {
  const { GoMod } = JSON.parse(
    await go(folder, ["mod", "download", "-json", `k8s.io/kubernetes@${kubernetes}`]),
  ) as {
    readonly GoMod: string;
  };
  const text = await readFile(GoMod, "utf8");
  return [...text.matchAll(/^\s*(?:replace\s+)?(k8s\.io\/\S+)\s+=>\s+\.\/staging\//gm)].map(
    (match) => match[1] ?? "",
  );
}

async function buildKubernetes(folder: string, output: string): Promise<void> {
  await writeFile(join(folder, "go.mod"), "module control-plane\n\ngo 1.26\n");
  const replaces = (await stagingModules(folder)).map((name) => `replace ${name} => ${name} ${staging}`);
  await writeFile(
    join(folder, "go.mod"),
    `module control-plane\n\ngo 1.26\n\nrequire k8s.io/kubernetes ${kubernetes}\n\n${replaces.join("\n")}\n`,
  );
  const [major, minor] = kubernetes.slice(1).split(".");
  const version = "k8s.io/component-base/version";
  const ldflags = `-s -w -X ${version}.gitVersion=${kubernetes} -X ${version}.gitMajor=${major ?? ""} -X ${version}.gitMinor=${minor ?? ""}`;
  for (const name of ["kube-apiserver", "kube-controller-manager"]) {
    console.log(`building ${name} ${kubernetes}: about three minutes`);
    await go(folder, [
      "build",
      "-trimpath",
      "-ldflags",
      ldflags,
      "-o",
      join(output, name),
      `k8s.io/kubernetes/cmd/${name}`,
    ]);
  }
}

async function buildEtcd(folder: string, output: string): Promise<void> {
  console.log(`building etcd ${etcd}`);
  await writeFile(
    join(folder, "go.mod"),
    `module control-plane-etcd\n\ngo 1.26\n\nrequire go.etcd.io/etcd/server/v3 ${etcd}\n`,
  );
  await go(folder, [
    "build",
    "-trimpath",
    "-ldflags",
    "-s -w",
    "-o",
    join(output, "etcd"),
    "go.etcd.io/etcd/server/v3",
  ]);
}

async function build(): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), "skill-admission-control-plane-"));
  const output = `${target}.${process.pid}`;
  try {
    for (const folder of [join(work, "kubernetes"), join(work, "etcd"), output])
      await mkdir(folder, { recursive: true });
    await buildKubernetes(join(work, "kubernetes"), output);
    await buildEtcd(join(work, "etcd"), output);
    await rename(output, target);
  } finally {
    await rm(work, { recursive: true, force: true });
    await rm(output, { recursive: true, force: true });
  }
}

const there = await access(join(target, "kube-apiserver"), constants.X_OK).then(
  () => true,
  () => false,
);
if (!there) await build();
console.log(
  `${target} holds etcd, kube-apiserver and kube-controller-manager: "npm run test:cluster" finds them there`,
);
