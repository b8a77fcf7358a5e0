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

/** The control plane that runs: projects take turns, and one that idles would slow the others down. */
let running: Promise<ControlPlane> | undefined;

async function stopRunning(): Promise<void> {
  const stopping = running;
  running = undefined;
  // One that did not start has nothing to stop, and whoever asked for it was told.
  await stopping?.then(
    (plane) => plane.stop(),
    () => undefined,
  );
}

/** A control plane of its own for a project, from when it is first asked for. */
function lazy(): () => Promise<ControlPlane> {
  let own: Promise<ControlPlane> | undefined;
  return () => {
    if (own === undefined) {
      own = stopRunning().then(startCluster);
      running = own;
    }
    return own;
  };
}

async function obey(open: () => Promise<ControlPlane>, path: string | undefined): Promise<string> {
  const plane = await open();
  if (path === "/open") return JSON.stringify({ kubeconfig: plane.kubeconfig, host: plane.host });
  if (path === "/audit-log") return await plane.auditLog();
  if (path === "/kill-api-server") await plane.killApiServer();
  else if (path === "/start-api-server") await plane.startApiServer();
  else throw new Error(`unknown: ${path ?? ""}`);
  return "";
}

function remoteControl(open: () => Promise<ControlPlane>): Server {
  return createServer((incoming, outgoing) => {
    obey(open, incoming.url).then(
      (said) => outgoing.end(said),
      (error: unknown) => outgoing.writeHead(500).end(String(error)),
    );
  });
}

/** One control plane for all files of the project, which is always stopped. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const control = remoteControl(lazy());
  await new Promise<void>((resolve) => control.listen(0, "127.0.0.1", resolve));
  project.provide("controlPlaneUrl", `http://127.0.0.1:${(control.address() as AddressInfo).port}`);
  return async () => {
    control.close();
    control.closeAllConnections();
    await stopRunning();
  };
}
