import { spawn, type ChildProcess } from "node:child_process";
import { open, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { issueCertificate, servedAt } from "../../fixtures/certificates.ts";
import { freePort } from "../../fixtures/free-port.ts";

/** A webhook server in a process of its own. */
export interface Server {
  readonly name: string;
  readonly pid: number;
  readonly port: number;
  readonly metricsPort: number;
  /** From starting the process to the first 200 of `/readyz`, milliseconds. */
  readonly ready: number;
  /** Resolves when the process has ended. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

export const mainFile = join(import.meta.dirname, "../../../dist/main.js");
const bareFile = join(import.meta.dirname, "bare-server.ts");

/**
 * Flags of Node with which the product runs: those of `npm run skill-admission` and of the image. The young generation
 * is bounded, which by Node's defaults grows to 128 MiB.
 */
export const productionFlags: readonly string[] = ["--max-semi-space-size=16"];

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** Is a server's `/readyz` 200. Its certificate is not looked at: nothing is secret here, and both servers are alike. */
function isReady(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const call = request(
      { host: "127.0.0.1", port, path: "/readyz", rejectUnauthorized: false, agent: false },
      (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      },
    );
    call.on("error", () => resolve(false)).end();
  });
}

interface Start {
  readonly name: string;
  readonly args: readonly string[];
  readonly port: number;
  readonly metricsPort?: number;
  /** File for what it prints; absent: the bench prints it. */
  readonly output?: string;
}

async function start({ name, args, port, metricsPort = 0, output }: Start): Promise<Server> {
  const started = performance.now();
  const file = output === undefined ? undefined : await open(output, "a");
  const child = spawn(process.execPath, args, { stdio: ["ignore", file?.fd ?? "inherit", "inherit"] });
  await file?.close();
  running.add(child);
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  void ended.then(() => running.delete(child));
  while (!(await isReady(port))) {
    if (child.exitCode !== null)
      throw new Error(`${name} ended before it was ready; its reason stands above`);
    if (performance.now() - started > 30_000) throw new Error(`${name} was not ready within 30 s`);
    await sleep(2);
  }
  return {
    name,
    pid: child.pid ?? 0,
    port,
    metricsPort,
    ready: performance.now() - started,
    ended,
    async stop() {
      child.kill("SIGTERM");
      // The bare server drains nothing, and some loads leave connections behind.
      const hard = setTimeout(() => child.kill("SIGKILL"), 3000);
      await ended;
      clearTimeout(hard);
    },
  };
}

/** Starts the product's webhook with these arguments after `serve`. */
export async function startProduct(
  args: readonly string[],
  options: {
    readonly port?: number;
    readonly nodeArgs?: readonly string[];
    /** File for its log at level info; absent: level warn. */
    readonly log?: string;
  } = {},
): Promise<Server> {
  const { log } = options;
  const [port, metricsPort] = [options.port ?? (await freePort()), await freePort()];
  return start({
    name: "skill-admission",
    port,
    metricsPort,
    ...(log !== undefined && { output: log }),
    args: [
      ...(options.nodeArgs ?? productionFlags),
      mainFile,
      "serve",
      ...args,
      ...["--address", "127.0.0.1", "--port", String(port)],
      ...["--metrics-address", "127.0.0.1", "--metrics-port", String(metricsPort)],
      ...["--grace-seconds", "0", "--drain-seconds", "1", "--log-level", log === undefined ? "warn" : "info"],
    ],
  });
}

/** The bare server, and the certificate by which an API server may trust it. */
export interface BareServer extends Server {
  readonly certificate: string;
}

/** Starts the bare server with a P-256 certificate, which is what the product issues itself. */
export async function startBare(scratch: string): Promise<BareServer> {
  const { pem, keyPem } = await issueCertificate({
    subject: "CN=127.0.0.1",
    extensions: [servedAt("127.0.0.1")],
  });
  const [certFile, keyFile] = [join(scratch, "bare.crt"), join(scratch, "bare.key")];
  await writeFile(certFile, pem);
  await writeFile(keyFile, keyPem, { mode: 0o600 });
  const port = await freePort();
  const server = await start({
    name: "bare express",
    port,
    args: [bareFile, certFile, keyFile, String(port)],
  });
  return { ...server, certificate: pem };
}
