import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toolPath } from "../../cluster/harness/binaries.ts";
import { startProgram, until } from "../../cluster/harness/process.ts";
import { startNode, type Node } from "../../cluster/kubelet/one-node.ts";
import { runCommand, type Ran } from "../../fixtures/run-command.ts";
import { buildImage } from "../../image/build-image.ts";
import { openApi, type Api } from "./api.ts";
import { openMachine, type Machine } from "./machine.ts";

/** A cluster in which the product's image is there to be installed. */
export interface Cluster {
  /** Runs kubectl or helm; does not throw when the command fails. */
  readonly tool: (name: "kubectl" | "helm", args: readonly string[], input?: string) => Promise<Ran>;
  /** What the tool is called by, before its arguments. */
  readonly command: (name: "kubectl" | "helm") => Promise<readonly string[]>;
  /** Runs kubectl. @throws Error with what it said where it fails */
  readonly kubectl: (args: readonly string[], input?: string) => Promise<string>;
  readonly helm: (args: readonly string[]) => Promise<string>;
  readonly api: Api;
  /** Pods at their own addresses, `/ADDRESS:PORT/PATH`; absent where the cluster is somebody else's. */
  readonly pods: Api | undefined;
  /** Absent where the cluster is somebody else's. */
  readonly machine: Machine | undefined;
  /** Image with a shell, for agents. */
  readonly agent: Node["image"];
  /** The product's image: repository and tag. */
  readonly product: { readonly repository: string; readonly tag: string };
  /** The file that it was built into; absent where the cluster is somebody else's. */
  readonly archive: string | undefined;
  readonly stop: () => Promise<void>;
}

const splitReference = (reference: string): Cluster["product"] => {
  const at = reference.lastIndexOf(":");
  return { repository: reference.slice(0, at), tag: reference.slice(at + 1) };
};

/** What asks pods at their own addresses, from within the node's network. */
function startRelay({ machine }: Node, folder: string) {
  if (machine === undefined) return { pods: undefined, stop: () => Promise.resolve() };
  const socket = join(folder, "relay.sock");
  const program = startProgram(
    machine.inside,
    [process.execPath, join(import.meta.dirname, "relay.ts"), socket],
    join(folder, "relay.log"),
  );
  const pods = openApi(socket);
  return {
    pods,
    stop: async (): Promise<void> => {
      pods.close();
      await program.kill();
    },
  };
}

/**
 * The one-node cluster of this machine with the image in it, or the one of `E2E_KUBECONFIG`, into which the image was
 * brought before (`kind load image-archive`) and is named by `E2E_PRODUCT_IMAGE`.
 */
export async function openCluster(): Promise<Cluster> {
  const kubeconfig = process.env["E2E_KUBECONFIG"] ?? "";
  const loaded = process.env["E2E_PRODUCT_IMAGE"] ?? "localhost/skill-admission:0.1.0";
  const image = kubeconfig === "" ? await buildImage() : undefined;
  const node = await startNode();
  const folder = await mkdtemp(join(tmpdir(), "skill-admission-e2e-"));
  const prefix = node.machine === undefined ? [] : [node.machine.inside];
  const withConfig = kubeconfig === "" ? [] : ["--kubeconfig", kubeconfig];
  const command: Cluster["command"] = async (name) => [...prefix, await toolPath(name), ...withConfig];
  const tool: Cluster["tool"] = async (name, args, input) =>
    runCommand([...(await command(name)), ...args], input === undefined ? {} : { stdin: input });
  const orThrow =
    (name: "kubectl" | "helm") =>
    async (args: readonly string[], input?: string): Promise<string> => {
      const { code, stdout, stderr } = await tool(name, args, input);
      if (code !== 0) throw new Error(`${name} ${args.join(" ").slice(0, 300)}: ${stderr.slice(0, 3000)}`);
      return stdout;
    };
  const socket = join(folder, "api.sock");
  const [program = "", ...rest] = await command("kubectl");
  const proxy = startProgram(
    program,
    [...rest, "proxy", `--unix-socket=${socket}`],
    join(folder, "proxy.log"),
  );
  const api = openApi(socket);
  const relay = startRelay(node, folder);
  const stop = async (): Promise<void> => {
    api.close();
    await relay.stop();
    await proxy.kill();
    await node.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const machine = node.machine === undefined ? undefined : openMachine(node.machine);
    if (image !== undefined) await machine?.importImage(image.archive);
    await until(
      "kubectl proxy answers",
      async () => (await api.call("GET", "/readyz")).status === 200,
      proxy,
    );
    return {
      tool,
      command,
      kubectl: orThrow("kubectl"),
      helm: orThrow("helm"),
      api,
      pods: relay.pods,
      machine,
      agent: node.image,
      product: splitReference(image?.reference ?? loaded),
      archive: image?.archive,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
