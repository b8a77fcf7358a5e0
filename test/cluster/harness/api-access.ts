import { readFile, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { join } from "node:path";
import { until } from "./process.ts";
import type { Program } from "./process.ts";

/** Where an API server answers, and the files with which its administrator speaks to it. */
export interface ApiAccess {
  readonly server: string;
  readonly ca: string;
  readonly adminCert: string;
  readonly adminKey: string;
}

/** Writes the administrator's kubeconfig into a folder. Returns its path. */
export async function writeKubeconfig(folder: string, access: ApiAccess): Promise<string> {
  const { server, ca, adminCert, adminKey } = access;
  const path = join(folder, "kubeconfig");
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "test", cluster: { server, "certificate-authority": ca } }],
    users: [{ name: "admin", user: { "client-certificate": adminCert, "client-key": adminKey } }],
    contexts: [{ name: "test", context: { cluster: "test", user: "admin" } }],
    "current-context": "test",
  };
  await writeFile(path, JSON.stringify(config), { mode: 0o600 });
  return path;
}

async function answers(access: ApiAccess, path: string): Promise<boolean> {
  const [ca, cert, key] = await Promise.all(
    [access.ca, access.adminCert, access.adminKey].map((file) => readFile(file)),
  );
  return await new Promise((resolve) => {
    const outgoing = request(
      new URL(path, access.server),
      { ca, cert, key, agent: false, timeout: 2000 },
      (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      },
    );
    outgoing.once("timeout", () => outgoing.destroy());
    outgoing.once("error", () => resolve(false));
    outgoing.end();
  });
}

/** Waits until the API server is ready and has its first namespace; fails when its program ends before. */
export async function apiReady(access: ApiAccess, program?: Program): Promise<void> {
  await until("the API server is ready", () => answers(access, "/readyz"), program);
  await until("the default namespace is there", () => answers(access, "/api/v1/namespaces/default"), program);
}
