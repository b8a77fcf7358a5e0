import { readFile, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { until } from "./process.ts";
import type { Program } from "./process.ts";

/** The files with which a user proves who it is. */
export interface ClientCertificate {
  readonly clientCert: string;
  readonly clientKey: string;
}

/** Where an API server answers, and the files with which a user speaks to it. */
export interface ApiAccess extends ClientCertificate {
  readonly server: string;
  readonly ca: string;
}

/** Writes a kubeconfig of that user. Returns its path. */
export async function writeKubeconfig(path: string, access: ApiAccess): Promise<string> {
  const { server, ca, clientCert, clientKey } = access;
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "test", cluster: { server, "certificate-authority": ca } }],
    users: [{ name: "user", user: { "client-certificate": clientCert, "client-key": clientKey } }],
    contexts: [{ name: "test", context: { cluster: "test", user: "user" } }],
    "current-context": "test",
  };
  await writeFile(path, JSON.stringify(config), { mode: 0o600 });
  return path;
}

async function answers(access: ApiAccess, path: string): Promise<boolean> {
  const [ca, cert, key] = await Promise.all(
    [access.ca, access.clientCert, access.clientKey].map((file) => readFile(file)),
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

/**
 * Paths of the account and the authority that controllers put into each namespace a moment after it is made. Pods are
 * refused before the account is there, and every pod mounts the authority.
 */
export const namespaceContents = (namespace: string): readonly string[] => [
  `/api/v1/namespaces/${namespace}/serviceaccounts/default`,
  `/api/v1/namespaces/${namespace}/configmaps/kube-root-ca.crt`,
];

/** Waits until the API server is ready and has its first namespace; fails when its program ends before. */
export async function apiReady(access: ApiAccess, program?: Program): Promise<void> {
  await until("the API server is ready", () => answers(access, "/readyz"), program);
  await until("the default namespace is there", () => answers(access, "/api/v1/namespaces/default"), program);
}
