import { findControlPlane, howToGetBinaries } from "./binaries.ts";
import { startControlPlane } from "./control-plane.ts";
import { findDocker, startK3s } from "./k3s.ts";
import type { ControlPlane } from "./plane.ts";

/**
 * The control plane for the cluster tests: the binaries that are on this machine, else K3s where Docker is.
 * `TEST_CLUSTER=k3s` asks for K3s whatever binaries there are.
 * @throws Error that says how to get one, where there is neither
 */
export async function startCluster(): Promise<ControlPlane> {
  const k3s = process.env["TEST_CLUSTER"] === "k3s";
  const binaries = k3s ? undefined : await findControlPlane();
  if (binaries !== undefined) return await startControlPlane(binaries);
  const docker = await findDocker();
  if (docker !== undefined) return await startK3s(docker);
  throw new Error(
    k3s
      ? "TEST_CLUSTER asks for K3s, and no Docker answers: start it, or see DOCKER_HOST"
      : `the cluster tests need a control plane: start Docker, in which K3s is then run; or ${howToGetBinaries}`,
  );
}
