import type { ContainerRuntimeClient } from "testcontainers";
import { findControlPlane, howToGetBinaries } from "./binaries.ts";
import { startControlPlane } from "./control-plane.ts";
import { findDocker, startK3s } from "./k3s.ts";
import type { ControlPlane } from "./plane.ts";
import { sourceOn, type Source } from "./source.ts";

/** What this machine runs a control plane from: the binaries that are here, else K3s where Docker is. */
export const findSource = (): Promise<Source<ContainerRuntimeClient>> =>
  sourceOn({ asked: process.env["TEST_CLUSTER"], binaries: findControlPlane, docker: findDocker });

/**
 * The control plane for the cluster tests.
 * @throws Error that says how to get one, where there is nothing to run it from
 */
export async function startCluster(): Promise<ControlPlane> {
  const source = await findSource();
  if (source.kind === "binaries") return await startControlPlane(source.folder);
  if (source.kind === "docker") return await startK3s(source.docker);
  throw new Error(
    `the cluster tests need a control plane: start Docker, in which K3s is then run; or ${howToGetBinaries}`,
  );
}
