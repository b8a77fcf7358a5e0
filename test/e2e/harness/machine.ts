import { execFile, spawn } from "node:child_process";
import { openSync, closeSync } from "node:fs";
import { access, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { until } from "../../cluster/harness/process.ts";
import type { OneNode } from "../../cluster/kubelet/one-node.ts";

const run = promisify(execFile);

/** What a test does to a node that no API can do. */
export interface Machine {
  /** Kills a program of the node; resolves with what starts it again. */
  killProgram(name: "apiserver" | "etcd" | "kubelet"): Promise<() => Promise<void>>;
  /** Process id of a container, as this machine sees it. */
  processOf(containerId: string): Promise<number>;
  /** Breaks every connection that a process's network namespace has to this address. */
  breakConnections(pid: number, address: string): Promise<void>;
  /** Those of the whole node: the machine's own are not among them. */
  networkInterfaces(): Promise<readonly string[]>;
  /** What containerd's client is called by, before its arguments. */
  readonly ctr: readonly string[];
  importImage(archive: string): Promise<void>;
  /** Gives an image one more name. */
  tagImage(reference: string, name: string): Promise<void>;
}

const gone = (pid: number): Promise<boolean> =>
  access(`/proc/${pid}`).then(
    () => false,
    () => true,
  );

export function openMachine({ folder, bin, inside }: OneNode): Machine {
  const client = [join(bin, "ctr"), "-a", join(folder, "containerd.sock")];
  const ctr = async (...args: readonly string[]): Promise<string> => {
    const [program = "", ...socket] = client;
    return (await run(program, [...socket, "-n", "k8s.io", ...args])).stdout;
  };
  return {
    ctr: client,
    killProgram: async (name) => {
      const pidFile = join(folder, `${name}.pid`);
      const pid = Number(await readFile(pidFile, "utf8"));
      const command = (await readFile(`/proc/${pid}/cmdline`, "utf8")).split("\0").slice(0, -1);
      process.kill(pid, "SIGKILL");
      await until(`${name} has ended`, () => gone(pid));
      return async () => {
        const log = openSync(join(folder, `${name}.log`), "a");
        const child = spawn(inside, command, {
          cwd: folder,
          detached: true,
          stdio: ["ignore", log, log],
        });
        closeSync(log);
        child.unref();
        // `down` stops what is named here.
        await writeFile(pidFile, String(child.pid));
      };
    },
    processOf: async (containerId) => {
      const lines = (await ctr("tasks", "ls")).split("\n");
      const pid = lines.map((line) => line.split(/\s+/)).find(([id]) => id === containerId)?.[1];
      if (pid === undefined) throw new Error(`container ${containerId} does not run`);
      return Number(pid);
    },
    breakConnections: async (pid, address) => {
      const { stdout } = await run("nsenter", [
        ...["--net", "--target", String(pid)],
        ...["ss", "--no-header", "--tcp", "--kill", "dst", address],
      ]).catch((error: unknown) => error as { stdout: string });
      if (!stdout.includes("ESTAB"))
        throw new Error("this kernel breaks no connections (CONFIG_INET_DIAG_DESTROY)");
    },
    networkInterfaces: async () => {
      const { stdout } = await run(inside, ["ip", "-oneline", "link"]);
      return stdout.split("\n").flatMap((line) => /^\d+: ([^:@]+)/.exec(line)?.[1] ?? []);
    },
    importImage: async (archive) => {
      await ctr("images", "import", archive);
    },
    tagImage: async (reference, name) => {
      await ctr("images", "tag", "--force", reference, name);
    },
  };
}
