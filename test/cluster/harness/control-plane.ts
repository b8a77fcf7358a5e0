import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { controlPlaneFolder } from "./binaries.ts";
import { writeCertificates, type ControlPlaneCertificates } from "./certificates.ts";
import { startProgram, until, type Program } from "./process.ts";

/** A real kube-apiserver, etcd and kube-controller-manager on loopback, for one test run. */
export interface ControlPlane {
  /** Path of the administrator's kubeconfig. */
  readonly kubeconfig: string;
  /** Folder with logs and certificates; removed by `stop`. */
  readonly folder: string;
  /** Kills the API server at once, as a crash would. etcd goes on. */
  killApiServer(): Promise<void>;
  /** Starts it again on the same port and etcd, and waits until it is ready. */
  startApiServer(): Promise<void>;
  stop(): Promise<void>;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => {
        if (address !== null && typeof address === "object") resolve(address.port);
        else reject(new Error("no port"));
      });
    });
  });
}

interface Parts {
  readonly bin: string;
  readonly folder: string;
  readonly certificates: ControlPlaneCertificates;
  readonly kubeconfig: string;
  readonly etcdUrl: string;
  readonly apiPort: number;
}

function startEtcd({ bin, folder, etcdUrl }: Parts, peerUrl: string): Program {
  return startProgram(
    join(bin, "etcd"),
    [
      `--data-dir=${join(folder, "etcd")}`,
      "--unsafe-no-fsync",
      `--listen-client-urls=${etcdUrl}`,
      `--advertise-client-urls=${etcdUrl}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=default=${peerUrl}`,
    ],
    join(folder, "etcd.log"),
  );
}

/** The API server's audit log, with one line for each request that writes a pod: what webhooks noted about it is there. */
export const auditLogBeside = (kubeconfig: string): string => join(dirname(kubeconfig), "audit.log");

const auditPolicy = JSON.stringify({
  apiVersion: "audit.k8s.io/v1",
  kind: "Policy",
  omitStages: ["RequestReceived"],
  rules: [
    {
      level: "Metadata",
      verbs: ["create", "update", "patch"],
      resources: [{ group: "", resources: ["pods"] }],
    },
  ],
});

function startApi({ bin, folder, certificates, kubeconfig, etcdUrl, apiPort }: Parts): Program {
  return startProgram(
    join(bin, "kube-apiserver"),
    [
      `--etcd-servers=${etcdUrl}`,
      `--secure-port=${apiPort}`,
      "--bind-address=127.0.0.1",
      "--advertise-address=127.0.0.1",
      "--endpoint-reconciler-type=none",
      `--tls-cert-file=${certificates.serverCert}`,
      `--tls-private-key-file=${certificates.serverKey}`,
      `--client-ca-file=${certificates.ca}`,
      `--service-account-key-file=${certificates.tokenPublicKey}`,
      `--service-account-signing-key-file=${certificates.tokenKey}`,
      "--service-account-issuer=https://kubernetes.default.svc",
      "--service-cluster-ip-range=10.0.0.0/24",
      "--authorization-mode=RBAC",
      "--allow-privileged=true",
      // Pods would have to wait for their namespace's account, which says nothing about admission.
      "--disable-admission-plugins=ServiceAccount",
      `--audit-policy-file=${join(folder, "audit-policy")}`,
      `--audit-log-path=${auditLogBeside(kubeconfig)}`,
    ],
    join(folder, "apiserver.log"),
  );
}

function startControllers({ bin, folder, certificates, kubeconfig }: Parts, port: number): Program {
  return startProgram(
    join(bin, "kube-controller-manager"),
    [
      `--kubeconfig=${kubeconfig}`,
      `--authentication-kubeconfig=${kubeconfig}`,
      `--authorization-kubeconfig=${kubeconfig}`,
      `--secure-port=${port}`,
      "--bind-address=127.0.0.1",
      "--leader-elect=false",
      `--service-account-private-key-file=${certificates.tokenKey}`,
      `--root-ca-file=${certificates.ca}`,
    ],
    join(folder, "controller-manager.log"),
  );
}

async function answers(parts: Parts, path: string): Promise<boolean> {
  const [ca, cert, key] = await Promise.all(
    [parts.certificates.ca, parts.certificates.adminCert, parts.certificates.adminKey].map((file) =>
      readFile(file),
    ),
  );
  return await new Promise((resolve) => {
    const outgoing = request(
      { host: "127.0.0.1", port: parts.apiPort, path, ca, cert, key, agent: false, timeout: 2000 },
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

async function ready(parts: Parts, program: Program): Promise<void> {
  await until("the API server is ready", () => answers(parts, "/readyz"), program);
  await until("the default namespace is there", () => answers(parts, "/api/v1/namespaces/default"), program);
}

const kubeconfigText = (port: number, { ca, adminCert, adminKey }: ControlPlaneCertificates): string =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      { name: "test", cluster: { server: `https://127.0.0.1:${port}`, "certificate-authority": ca } },
    ],
    users: [{ name: "admin", user: { "client-certificate": adminCert, "client-key": adminKey } }],
    contexts: [{ name: "test", context: { cluster: "test", user: "admin" } }],
    "current-context": "test",
  });

/** Starts the three programs on free ports in a temporary folder; ready in about four seconds. */
export async function startControlPlane(): Promise<ControlPlane> {
  const bin = await controlPlaneFolder();
  const folder = await mkdtemp(join(tmpdir(), "skill-admission-cluster-"));
  const pki = join(folder, "pki");
  await mkdir(pki, { mode: 0o700 });
  const certificates = await writeCertificates(pki);
  const [etcdPort, peerPort, apiPort, controllerPort] = await Promise.all([
    freePort(),
    freePort(),
    freePort(),
    freePort(),
  ]);
  const kubeconfig = join(folder, "kubeconfig");
  await writeFile(kubeconfig, kubeconfigText(apiPort, certificates), { mode: 0o600 });
  await writeFile(join(folder, "audit-policy"), auditPolicy);
  const parts = { bin, folder, certificates, kubeconfig, etcdUrl: `http://127.0.0.1:${etcdPort}`, apiPort };
  const etcd = startEtcd(parts, `http://127.0.0.1:${peerPort}`);
  let api = startApi(parts);
  const others: Program[] = [etcd];
  const stop = async () => {
    await Promise.all([api, ...others].map((program) => program.kill()));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await ready(parts, api);
    others.push(startControllers(parts, controllerPort));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    kubeconfig,
    folder,
    killApiServer: () => api.kill(),
    startApiServer: async () => {
      if (!api.running()) api = startApi(parts);
      await ready(parts, api);
    },
    stop,
  };
}
