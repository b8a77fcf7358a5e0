import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestProject } from "vitest/node";
import type { ControlPlane, Host } from "./plane.ts";
import { startCluster } from "./start.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Path of the administrator's kubeconfig. */
    kubeconfig: string;
    /** This machine as the API server reaches it. */
    host: Host;
    /** Where tests, which run in other processes, ask for the API server to be killed and started, and for its audit log. */
    controlPlaneUrl: string;
  }
}

async function obey(plane: ControlPlane, path: string | undefined): Promise<string> {
  if (path === "/audit-log") return await plane.auditLog();
  if (path === "/kill-api-server") await plane.killApiServer();
  else if (path === "/start-api-server") await plane.startApiServer();
  else throw new Error(`unknown: ${path ?? ""}`);
  return "";
}

function remoteControl(plane: ControlPlane): Server {
  return createServer((incoming, outgoing) => {
    obey(plane, incoming.url).then(
      (said) => outgoing.end(said),
      (error: unknown) => outgoing.writeHead(500).end(String(error)),
    );
  });
}

/** Starts one control plane for all files of the project, and always stops it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const plane = await startCluster();
  const control = remoteControl(plane);
  await new Promise<void>((resolve) => control.listen(0, "127.0.0.1", resolve));
  project.provide("kubeconfig", plane.kubeconfig);
  project.provide("host", plane.host);
  project.provide("controlPlaneUrl", `http://127.0.0.1:${(control.address() as AddressInfo).port}`);
  return async () => {
    control.close();
    control.closeAllConnections();
    await plane.stop();
  };
}
