import { toolPath } from "./binaries.ts";
import { runCommand, type Ran } from "../../fixtures/run-command.ts";
import { ask, kubeconfig } from "./opened.ts";

const runTool = async (name: "kubectl" | "helm", args: readonly string[], stdin?: string): Promise<Ran> =>
  runCommand([await toolPath(name), ...args], {
    env: { ...process.env, KUBECONFIG: kubeconfig },
    ...(stdin === undefined ? {} : { stdin }),
  });

/** Runs kubectl against the test's cluster. Does not throw when the command fails: look at `code` and `stderr`. */
export const tryKubectl = (args: readonly string[], stdin?: string): Promise<Ran> =>
  runTool("kubectl", args, stdin);

/** Runs kubectl, and throws with what it said when it fails. Returns its output. */
export async function kubectl(args: readonly string[], stdin?: string): Promise<string> {
  const { code, stdout, stderr } = await tryKubectl(args, stdin);
  if (code !== 0) throw new Error(`kubectl ${args.join(" ")} ended with ${code}: ${stderr}`);
  return stdout;
}

/** Runs helm against the test's cluster. Does not throw when the command fails: look at `code` and `stderr`. */
export const tryHelm = (args: readonly string[], stdin?: string): Promise<Ran> =>
  runTool("helm", args, stdin);

/** Runs helm, and throws with what it said when it fails. */
export async function helm(args: readonly string[], stdin?: string): Promise<string> {
  const { code, stdout, stderr } = await tryHelm(args, stdin);
  if (code !== 0) throw new Error(`helm ${args.join(" ")} ended with ${code}: ${stderr}`);
  return stdout;
}

const stream = (objects: readonly object[]): string =>
  objects.map((object) => JSON.stringify(object)).join("\n---\n");

/** Applies objects as a user would. Does not throw when they are refused. */
export const tryKubectlApply = (objects: readonly object[], ...flags: readonly string[]): Promise<Ran> =>
  tryKubectl(["apply", ...flags, "-f", "-"], stream(objects));

/** The API server's audit log: what webhooks noted about the pods that were written. */
export const auditLog = (): Promise<string> => ask("/audit-log");

/** Kills the API server as a crash would; what it has stored stays. */
export async function killApiServer(): Promise<void> {
  await ask("/kill-api-server");
}

/** Starts the API server again under the same address, and waits until it is ready. */
export async function startApiServer(): Promise<void> {
  await ask("/start-api-server");
}

/** Kills the API server and brings it back. */
export async function restartApiServer(): Promise<void> {
  await killApiServer();
  await startApiServer();
}
