import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ContainerRuntimeClient, StartedTestContainer } from "testcontainers";
import { freePort } from "../../fixtures/free-port.ts";
import { apiReady, writeKubeconfig, type ApiAccess } from "./api-access.ts";
import {
  auditLogFile,
  auditPolicyFile,
  credentialsOf,
  k3sCommand,
  k3sImage,
  kubeconfigFile,
  readyLine,
} from "./k3s-options.ts";
import { auditPolicy, type ControlPlane } from "./plane.ts";

/** Docker's own name for the machine that its containers run on; `host-gateway` is its address from inside. */
const hostName = "host.docker.internal";
const apiPort = 6443;

/** Docker, where it is: the library is loaded only when there is no other control plane. */
export async function findDocker(): Promise<ContainerRuntimeClient | undefined> {
  const { getContainerRuntimeClient } = await import("testcontainers");
  return await getContainerRuntimeClient().catch(() => undefined);
}

/** Without an agent K3s starts no containers of its own, so that it needs no privileges here. */
async function startContainer(docker: ContainerRuntimeClient, image: string): Promise<StartedTestContainer> {
  const { GenericContainer, Wait } = await import("testcontainers");
  const name = `skill-admission-k3s-${randomUUID()}`;
  const container = new GenericContainer(image)
    .withName(name)
    .withCommand(k3sCommand(docker.info.containerRuntime.host))
    // A port that Docker chose would be another one after a restart.
    .withExposedPorts({ container: apiPort, host: await freePort() })
    .withExtraHosts([{ host: hostName, ipAddress: "host-gateway" }])
    .withCopyContentToContainer([{ content: await auditPolicy(), target: auditPolicyFile }])
    .withWaitStrategy(Wait.forLogMessage(readyLine))
    .withStartupTimeout(180_000);
  return await container.start().catch(async (cause: unknown) => {
    const said = await lastWords(docker, name);
    throw new Error(
      `K3s could not be started in Docker from ${image}: ${cause instanceof Error ? cause.message : String(cause)}; ` +
        `TEST_K3S_IMAGE names another image\n${said}`,
      { cause },
    );
  });
}

/** The end of what a container wrote, which is then removed; nothing where there is none of that name. */
async function lastWords(docker: ContainerRuntimeClient, name: string): Promise<string> {
  const left = docker.container.getById(name);
  const said = await left.logs({ stdout: true, stderr: true, tail: 15 }).catch(() => Buffer.alloc(0));
  await left.remove({ force: true, v: true }).catch(() => undefined);
  // Docker frames each line with the number of its stream and its length.
  return said.toString().replaceAll(/[^\n -~]/g, "");
}

async function read(container: StartedTestContainer, path: string): Promise<string> {
  const { exitCode, output } = await container.exec(["cat", path]);
  if (exitCode !== 0) throw new Error(`${path} cannot be read in the container of K3s: ${output}`);
  return output;
}

async function writeAccess(folder: string, container: StartedTestContainer): Promise<ApiAccess> {
  const { ca, clientCert, clientKey } = credentialsOf(await read(container, kubeconfigFile));
  const write = async (name: string, content: string): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, content, { mode: 0o600 });
    return path;
  };
  return {
    server: `https://${container.getHost()}:${container.getMappedPort(apiPort)}`,
    ca: await write("ca.crt", ca),
    clientCert: await write("admin.crt", clientCert),
    clientKey: await write("admin.key", clientKey),
  };
}

/** Starts K3s in a container, and waits until its API server is ready. */
export async function startK3s(docker: ContainerRuntimeClient): Promise<ControlPlane> {
  const folder = await mkdtemp(join(tmpdir(), "skill-admission-k3s-"));
  let container: StartedTestContainer | undefined;
  const stop = async (): Promise<void> => {
    await container?.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const started = await startContainer(docker, k3sImage(process.env));
    container = started;
    const access = await writeAccess(folder, started);
    await apiReady(access);
    const handle = docker.container.getById(started.getId());
    return {
      kubeconfig: await writeKubeconfig(join(folder, "kubeconfig"), access),
      // Not on loopback: containers reach this machine by the address of its bridge.
      host: { name: hostName, listen: "0.0.0.0" },
      // K3s is one process. What it has stored is in a volume, which stays.
      killApiServer: () => docker.container.stop(handle, { timeout: 0 }),
      startApiServer: async () => {
        const { State } = await docker.container.inspect(handle);
        if (!State.Running) await docker.container.start(handle);
        await apiReady(access);
      },
      auditLog: () => read(started, auditLogFile),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
