import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestProject } from "vitest/node";
import type { ControlPlane } from "./plane.ts";
import { startCluster } from "./start.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Where tests, which run in other processes, ask for the control plane, and for what they do to it. */
    controlPlaneUrl: string;
  }
}

type Planes = Map<string, Promise<ControlPlane>>;

/** The control planes that run: projects take turns, and those that idle would slow the others down. */
let running: Planes = new Map();
let stopped = Promise.resolve();

async function stopAll(planes: Planes): Promise<void> {
  const stopping = [...planes.values()];
  planes.clear();
  // One that did not start has nothing to stop, and whoever asked for it was told.
  await Promise.all(
    stopping.map((starting) =>
      starting.then(
        (plane) => plane.stop(),
        () => undefined,
      ),
    ),
  );
}

type Opens = (worker: string) => Promise<ControlPlane>;

/** A control plane of its own for each worker of a project, from when it is first asked for. */
function lazy(): Opens {
  const own: Planes = new Map();
  return (worker) => {
    if (running !== own) {
      stopped = stopAll(running);
      running = own;
    }
    const plane = own.get(worker) ?? stopped.then(startCluster);
    own.set(worker, plane);
    return plane;
  };
}

async function obey(open: Opens, url: string | undefined): Promise<string> {
  const [, worker = "", path] = /^\/(\d+)(\/.*)$/.exec(url ?? "") ?? [];
  const plane = await open(worker);
  if (path === "/open") return JSON.stringify({ kubeconfig: plane.kubeconfig, host: plane.host });
  if (path === "/audit-log") return await plane.auditLog();
  if (path === "/kill-api-server") await plane.killApiServer();
  else if (path === "/start-api-server") await plane.startApiServer();
  else throw new Error(`unknown: ${url ?? ""}`);
  return "";
}

function remoteControl(open: Opens): Server {
  return createServer((incoming, outgoing) => {
    obey(open, incoming.url).then(
      (said) => outgoing.end(said),
      (error: unknown) => outgoing.writeHead(500).end(String(error)),
    );
  });
}

/** One control plane for all files that a worker of the project runs, which is always stopped. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const control = remoteControl(lazy());
  await new Promise<void>((resolve) => control.listen(0, "127.0.0.1", resolve));
  project.provide("controlPlaneUrl", `http://127.0.0.1:${(control.address() as AddressInfo).port}`);
  return async () => {
    control.close();
    control.closeAllConnections();
    await stopAll(running);
  };
}
