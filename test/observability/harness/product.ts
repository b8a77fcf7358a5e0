import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { projectRoot } from "../../cluster/harness/binaries.ts";
import { startProgram, until } from "../../cluster/harness/process.ts";
import { freePort } from "../../fixtures/free-port.ts";
import { httpsClient, rawConnection } from "../../fixtures/https-client.ts";
import type { Answer } from "../../fixtures/answer.ts";

/** The built product as one process, and somebody who sends it reviews. */
export interface Product {
  readonly metricsPort: number;
  /** The text of `/metrics`. */
  metrics(): Promise<string>;
  /** Sends a review, or what else is in `path` and `body`. */
  send(body: object | string, path?: string): Promise<Answer>;
  /** Begins a request and never sends its body; resolves when the server has had enough. */
  stall(): Promise<void>;
  stop(): Promise<void>;
}

export interface ProductOptions {
  /** For its log and files. */
  readonly folder: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Status that `/readyz` has in the end; default 200. */
  readonly readiness?: number;
  /** The authority that clients trust; default the one that the process writes. */
  readonly ca?: string;
}

/** Starts it on free ports of loopback and waits until its readiness is what it should be. */
export async function startProduct(options: ProductOptions): Promise<Product> {
  const { folder, args, env = {}, readiness = 200 } = options;
  await mkdir(folder, { recursive: true });
  const [port, metricsPort] = [await freePort(), await freePort()];
  const caFile = join(folder, "ca.crt");
  const program = startProgram(
    "env",
    [
      ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
      process.execPath,
      join(projectRoot, "dist/main.js"),
      "serve",
      "--address=127.0.0.1",
      `--port=${port}`,
      "--metrics-address=127.0.0.1",
      `--metrics-port=${metricsPort}`,
      "--grace-seconds=0",
      ...(options.ca === undefined ? [`--ca-file=${caFile}`] : []),
      ...args,
      ...(args.includes("--kubeconfig") ? ["--webhook-url", `https://127.0.0.1:${port}`] : []),
    ],
    join(folder, "serve.log"),
  );
  const ca = async (): Promise<string> => options.ca ?? readFile(caFile, "utf8");
  const asked = async (): Promise<boolean> => {
    const client = httpsClient(port, await ca());
    try {
      return (await client.call({ method: "GET", path: "/readyz" })).status === readiness;
    } finally {
      client.agent.destroy();
    }
  };
  await until(`the product in ${folder} answers`, asked, program).catch(async (error: unknown) => {
    await program.kill();
    throw error;
  });
  const client = httpsClient(port, await ca());
  return {
    metricsPort,
    metrics: async () => (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text(),
    send: (body, path = "/validate?timeout=5s") =>
      client.call({ path, body: typeof body === "string" ? body : JSON.stringify(body) }),
    stall: async () => {
      const socket = await rawConnection(port, await ca());
      const head = ["POST /validate?timeout=1s HTTP/1.1", "host: x", "content-type: application/json"];
      socket.write([...head, "content-length: 100", "", ""].join("\r\n"));
      socket.resume();
      await once(socket, "close");
    },
    stop: async () => {
      client.agent.destroy();
      await program.kill();
    },
  };
}

/** Writes objects as the one manifest of a folder. */
export async function writeState(folder: string, ...items: readonly object[]): Promise<string> {
  const state = join(folder, "state");
  await mkdir(state, { recursive: true });
  await writeFile(join(state, "state.json"), JSON.stringify({ apiVersion: "v1", kind: "List", items }));
  return state;
}
