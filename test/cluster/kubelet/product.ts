import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { projectRoot } from "../harness/binaries.ts";
import { startProgram, until } from "../harness/process.ts";
import type { SharedNode } from "./one-node.ts";

/** The product beside the API server of a node. */
export interface NodeProduct {
  /** Ends it, and takes away its registration and the policy: the node is the next file's. */
  remove(): Promise<void>;
}

/** Starts the product in the node's network, and waits until it is registered, with this policy. */
export async function startProduct({ machine, kubectl }: SharedNode, policy: object): Promise<NodeProduct> {
  const { inside, folder } = machine!;
  await kubectl(["apply", "--server-side", "-f", join(projectRoot, "manifests/crds")]);
  const crds = ["wait", "--for=condition=Established", "--timeout=60s", "crd"];
  await kubectl([...crds, "clusterskillpolicies.skill-admission.dev"]);
  await kubectl(["create", "-f", "-"], JSON.stringify(policy));
  const logFile = join(folder, `serve-${Date.now()}.log`);
  // Nobody else listens in that network.
  const args = [
    process.execPath,
    join(projectRoot, "dist/main.js"),
    "serve",
    `--kubeconfig=${join(folder, "admin.kubeconfig")}`,
    "--webhook-url=https://127.0.0.1:9443",
    "--address=127.0.0.1",
    "--port=9443",
    "--metrics-address=127.0.0.1",
    "--metrics-port=9090",
  ];
  const program = startProgram(inside, args, logFile);
  const remove = async (): Promise<void> => {
    await program.kill();
    await kubectl(["delete", "validatingwebhookconfiguration", "skill-admission", "--ignore-not-found"]);
    await kubectl(["delete", "-f", "-"], JSON.stringify(policy));
  };
  const ready = async () => (await readFile(logFile, "utf8")).includes("ready and registered");
  try {
    await until("the product is ready", ready, program);
  } catch (error) {
    await remove();
    throw error;
  }
  return { remove };
}
