import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";

import { projectRoot, toolPath } from "../harness/binaries.ts";

const run = promisify(execFile);

/** The machine's own node: what tests need to stop a process of the cluster, or to look at one. */
export interface OneNode {
  /** Process ids (`NAME.pid`), logs, and the socket of containerd. */
  readonly folder: string;
  /** The folder of the cluster's programs. */
  readonly bin: string;
  /** Runs what follows inside of the cluster's network, with KUBECONFIG set. */
  readonly inside: string;
}

/** A cluster with a kubelet, so that pods really run. */
export interface Node {
  /** Absent where the cluster is somebody else's. */
  readonly machine?: OneNode;
  /** Image with a busybox shell, and how the kubelet gets it. */
  readonly image: { readonly image: string; readonly imagePullPolicy: string };
  /** Runs kubectl; resolves with what it printed. */
  kubectl(args: readonly string[], input?: string): Promise<string>;
  /** Stops and removes everything that was started. */
  stop(): Promise<void>;
}

const cluster = join(projectRoot, "../shared/cluster");
const needed = ["one-node", "down", "control-plane.tar.xz", "node.tar.xz"].map((name) => join(cluster, name));
const programs = ["runc", "busybox", "ip", "nsenter", "openssl", "curl", "tar", "flock"];

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

async function inPath(name: string): Promise<boolean> {
  const folders = `${process.env["PATH"] ?? ""}${delimiter}/usr/sbin${delimiter}/sbin`.split(delimiter);
  return (await Promise.all(folders.map((folder) => exists(join(folder, name))))).some(Boolean);
}

/** What is missing for a node on this machine; empty where nothing is. */
async function missing(): Promise<readonly string[]> {
  const files = await Promise.all(needed.map(async (path) => ((await exists(path)) ? [] : [path])));
  const tools = await Promise.all(programs.map(async (name) => ((await inPath(name)) ? [] : [name])));
  const plugins = (await exists("/usr/lib/cni/ptp")) ? [] : ["/usr/lib/cni/ptp"];
  return [...files.flat(), ...tools.flat(), ...plugins, ...(process.getuid?.() === 0 ? [] : ["root"])];
}

function kubectlWith(command: string, prefix: readonly string[]): Node["kubectl"] {
  return (args, input) =>
    new Promise((resolve, reject) => {
      const child = execFile(
        command,
        [...prefix, ...args],
        { maxBuffer: 64 * 1024 * 1024, timeout: 290_000 },
        (error, stdout, stderr) => {
          if (error === null) resolve(stdout);
          else
            reject(
              new Error(`kubectl ${args.join(" ").slice(0, 200)}: ${stderr.slice(0, 2000)}`, {
                cause: error,
              }),
            );
        },
      );
      child.stdin?.on("error", () => undefined);
      child.stdin?.end(input ?? "");
    });
}

/**
 * A cluster with a kubelet: the one of `E2E_KUBECONFIG`, else a node on this machine, started now.
 * @throws Error that says what is missing and how to get it
 */
export async function startNode(): Promise<Node> {
  const kubectl = await toolPath("kubectl");
  const kubeconfig = process.env["E2E_KUBECONFIG"];
  if (kubeconfig !== undefined && kubeconfig !== "") {
    const image = process.env["E2E_IMAGE"] ?? "docker.io/library/busybox:1.37";
    return {
      image: { image, imagePullPolicy: "IfNotPresent" },
      kubectl: kubectlWith(kubectl, ["--kubeconfig", kubeconfig]),
      stop: () => Promise.resolve(),
    };
  }
  const lacks = await missing();
  if (lacks.length > 0) {
    throw new Error(
      `no node can be started here, ${lacks.join(", ")} missing: set E2E_KUBECONFIG to a cluster whose nodes run pods ` +
        `(kind, K3s, …; E2E_IMAGE names an image with a busybox shell, if not docker.io/library/busybox:1.37), or as root on ` +
        `Debian: apt-get install runc containernetworking-plugins busybox-static iproute2 util-linux openssl curl`,
    );
  }
  return await startOneNode(kubectl);
}

async function startOneNode(kubectl: string): Promise<Node> {
  const folder = await mkdtemp(join(tmpdir(), "skill-admission-node-"));
  const bin = join(folder, "bin");
  const node = join(folder, "node");
  const stop = await stopAtEnd(folder, node);
  try {
    await mkdir(bin);
    for (const archive of ["control-plane", "node"]) {
      await run("tar", ["-xJf", join(cluster, `${archive}.tar.xz`), "-C", bin]);
    }
    await new Promise<void>((resolve, reject) => {
      // What it leaves running must not hold our pipes open.
      const env = { ...process.env, KUBECTL: kubectl };
      const starting = spawn(join(cluster, "one-node"), [bin, node], {
        env,
        stdio: "ignore",
        detached: true,
      });
      starting.once("error", reject);
      starting.once("exit", (code) =>
        code === 0 ? resolve() : reject(new Error(`the node did not become ready; see ${node}/kubelet.log`)),
      );
    });
  } catch (error) {
    await stop();
    throw error;
  }
  await weighPods();
  const inside = join(node, "in");
  return {
    machine: { folder: node, bin, inside },
    image: { image: "localhost/busybox:1", imagePullPolicy: "Never" },
    kubectl: kubectlWith(inside, [kubectl]),
    stop,
  };
}

/**
 * This node's kubelet makes no cgroups of its own (`cgroupsPerQOS`), so that under load all pods together would get as much
 * processor time as one thread of the API server. A kubelet gives pods 1024 shares for each processor, beside 1024 for all
 * programs of the system; of those some four threads want to run at a time here, and each has 1024 (cgroups(7)).
 */
async function weighPods(): Promise<void> {
  const threads = 4 * availableParallelism();
  const root = "/sys/fs/cgroup";
  const [file, weight] = (await exists(`${root}/cgroup.controllers`))
    ? [`${root}/k8s.io/cpu.weight`, 100 * threads]
    : [`${root}/cpu/k8s.io/cpu.shares`, 1024 * threads];
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, String(weight));
  } catch (error) {
    console.warn(`pods will get little processor time on a busy machine: ${String(error)}`);
  }
}

/** Two nodes would remove each other's logs below /var/log/pods: the next one waits until this one is down. */
const lock = join(tmpdir(), "skill-admission-node.lock");

/**
 * Waits until no other node is up, and takes this one down when asked to, and also when this process ends in whatever way: a
 * shell waits for its pipe to close.
 * @throws Error where another node stays
 */
async function stopAtEnd(folder: string, node: string): Promise<() => Promise<void>> {
  const script =
    'exec 9>"$4"; flock -w 240 9 || exit 1; echo; cat >/dev/null; [ ! -d "$2" ] || "$1" "$2"; rm -rf --one-file-system "$3"';
  const keeper = spawn("sh", ["-c", script, "sh", join(cluster, "down"), node, folder, lock], {
    stdio: ["pipe", "pipe", "ignore"],
    detached: true,
  });
  const gone = once(keeper, "exit");
  const locked = await Promise.race([once(keeper.stdout, "data"), gone.then(() => undefined)]);
  if (locked === undefined)
    throw new Error(`another node is up on this machine, and has been for minutes: fuser ${lock} says whose`);
  return async () => {
    keeper.stdin.end();
    await gone;
  };
}

let shared: Promise<Node> | undefined;

/** The one node of this process, which is taken down when the process ends. */
function sharedNode(): Promise<Node> {
  shared ??= startNode();
  return shared;
}

/** The node that the files of this project have one after the other. */
export interface SharedNode extends Omit<Node, "stop"> {
  /** Makes room for the next file: what is left of this one's pods goes. */
  leave(): Promise<void>;
}

/** The shared node, on which `kubectl` works in a namespace of the file's own, which takes pods. */
export async function shareNode(namespace: string): Promise<SharedNode> {
  const node = await sharedNode();
  await node.kubectl(["create", "namespace", namespace]);
  const kubectl: Node["kubectl"] = (args, input) => node.kubectl(["--namespace", namespace, ...args], input);
  await kubectl(["wait", "--for=create", "serviceaccount/default", "--timeout=60s"]);
  return {
    ...node,
    kubectl,
    leave: async () => {
      await kubectl(["delete", "pods", "--all", "--force", "--grace-period=0", "--wait=false"]);
      await node.kubectl(["delete", "namespace", namespace, "--wait=false"]);
    },
  };
}
