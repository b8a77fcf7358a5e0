import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestProject } from "vitest/node";
import { startControlPlane, type ControlPlane } from "./control-plane.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Path of the administrator's kubeconfig. */
    kubeconfig: string;
    /** Where tests, which run in other processes, ask for the API server to be killed and started. */
    controlPlaneUrl: string;
  }
}

async function obey(plane: ControlPlane, path: string | undefined): Promise<void> {
  if (path === "/kill-api-server") await plane.killApiServer();
  else if (path === "/start-api-server") await plane.startApiServer();
  else throw new Error(`unknown: ${path ?? ""}`);
}

function remoteControl(plane: ControlPlane): Server {
  return createServer((incoming, outgoing) => {
    obey(plane, incoming.url).then(
      () => outgoing.end(),
      (error: unknown) => outgoing.writeHead(500).end(String(error)),
    );
  });
}

/** Starts one control plane for all files of the project, and always stops it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const plane = await startControlPlane();
  const control = remoteControl(plane);
  await new Promise<void>((resolve) => control.listen(0, "127.0.0.1", resolve));
  project.provide("kubeconfig", plane.kubeconfig);
  project.provide("controlPlaneUrl", `http://127.0.0.1:${(control.address() as AddressInfo).port}`);
  return async () => {
    control.close();
    control.closeAllConnections();
    await plane.stop();
  };
}
