import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../fixtures/free-port.ts";
import { apiReady, writeKubeconfig, type ApiAccess } from "./api-access.ts";
import { controlPlaneFolder } from "./binaries.ts";
import { writeCertificates, type ControlPlaneCertificates } from "./certificates.ts";
import { auditPolicy, type ControlPlane } from "./plane.ts";
import { startProgram, type Program } from "./process.ts";

interface Parts {
  readonly bin: string;
  readonly folder: string;
  readonly certificates: ControlPlaneCertificates;
  readonly controllersKubeconfig: string;
  readonly etcdUrl: string;
  readonly apiPort: number;
  /** More flags of kube-apiserver. */
  readonly apiFlags: readonly string[];
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

const auditLogIn = (folder: string): string => join(folder, "audit.log");

function startApi({ bin, folder, certificates, etcdUrl, apiPort, apiFlags }: Parts): Program {
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
      "--authorization-mode=Node,RBAC",
      "--allow-privileged=true",
      // It is the one plugin that is off unless named and that every real cluster has.
      "--enable-admission-plugins=NodeRestriction",
      `--audit-policy-file=${join(folder, "audit-policy")}`,
      `--audit-log-path=${auditLogIn(folder)}`,
      ...apiFlags,
    ],
    join(folder, "apiserver.log"),
  );
}

/** Under its own identity, with its controllers' accounts: RBAC and webhooks see the users that a real cluster has. */
function startControllers(
  { bin, folder, certificates, controllersKubeconfig }: Parts,
  port: number,
): Program {
  return startProgram(
    join(bin, "kube-controller-manager"),
    [
      `--kubeconfig=${controllersKubeconfig}`,
      `--authentication-kubeconfig=${controllersKubeconfig}`,
      `--authorization-kubeconfig=${controllersKubeconfig}`,
      "--use-service-account-credentials",
      `--secure-port=${port}`,
      "--bind-address=127.0.0.1",
      "--leader-elect=false",
      `--service-account-private-key-file=${certificates.tokenKey}`,
      `--root-ca-file=${certificates.ca}`,
    ],
    join(folder, "controller-manager.log"),
  );
}

/**
 * Starts kube-apiserver, etcd and kube-controller-manager on free ports of loopback, in a temporary folder; ready in about
 * four seconds.
 * @param binaries the folder that holds them; default where they are found
 * @param apiFlags more flags of kube-apiserver
 */
export async function startControlPlane(
  binaries?: string,
  apiFlags: readonly string[] = [],
): Promise<ControlPlane> {
  const bin = binaries ?? (await controlPlaneFolder());
  try {
    return await start(bin, apiFlags);
  } catch {
    // Somebody may have taken one of its ports meanwhile: a connection that goes out is given any that is free.
    return await start(bin, apiFlags);
  }
}

async function start(bin: string, apiFlags: readonly string[]): Promise<ControlPlane> {
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
  const { ca, admin, controllerManager } = certificates;
  const access: ApiAccess = { server: `https://127.0.0.1:${apiPort}`, ca, ...admin };
  const kubeconfig = await writeKubeconfig(join(folder, "kubeconfig"), access);
  const controllersKubeconfig = await writeKubeconfig(join(folder, "controllers-kubeconfig"), {
    ...access,
    ...controllerManager,
  });
  await writeFile(join(folder, "audit-policy"), await auditPolicy());
  const parts = {
    bin,
    folder,
    certificates,
    controllersKubeconfig,
    etcdUrl: `http://127.0.0.1:${etcdPort}`,
    apiPort,
    apiFlags,
  };
  const etcd = startEtcd(parts, `http://127.0.0.1:${peerPort}`);
  let api = startApi(parts);
  const others: Program[] = [etcd];
  const stop = async () => {
    await Promise.all([api, ...others].map((program) => program.kill()));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await apiReady(access, api);
    others.push(startControllers(parts, controllerPort));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    kubeconfig,
    host: { name: "127.0.0.1", listen: "127.0.0.1" },
    auditLog: () => readFile(auditLogIn(folder), "utf8"),
    killApiServer: () => api.kill(),
    startApiServer: async () => {
      if (!api.running()) api = startApi(parts);
      await apiReady(access, api);
    },
    stop,
  };
}
