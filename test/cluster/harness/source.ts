/** What a machine has to run a control plane with; asked for only as far as needed. */
export interface Machine<Docker> {
  /** The value of TEST_CLUSTER: `k3s` asks for K3s whatever binaries there are. */
  readonly asked: string | undefined;
  /** The folder that holds the binaries, where there is one. */
  readonly binaries: () => Promise<string | undefined>;
  readonly docker: () => Promise<Docker | undefined>;
}

/** What a control plane is run from. */
export type Source<Docker> =
  | { readonly kind: "binaries"; readonly folder: string }
  | { readonly kind: "docker"; readonly docker: Docker }
  | { readonly kind: "none" };

/**
 * Binaries before Docker: they start faster.
 * @throws Error where what was asked for is not there
 */
export async function sourceOn<Docker>(machine: Machine<Docker>): Promise<Source<Docker>> {
  const k3s = machine.asked === "k3s";
  const folder = k3s ? undefined : await machine.binaries();
  if (folder !== undefined) return { kind: "binaries", folder };
  const docker = await machine.docker();
  if (docker !== undefined) return { kind: "docker", docker };
  if (k3s) throw new Error("TEST_CLUSTER asks for K3s, and no Docker answers: start it, or see DOCKER_HOST");
  return { kind: "none" };
}
