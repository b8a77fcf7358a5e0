import type { ClusterView } from "../../evaluation/cluster-view.ts";
import type { SkillSource } from "../../skill/source.ts";
import { createApiClient } from "./api/client.ts";
import { connectByKubeconfig } from "./api/connection.ts";
import { readNamespaceLabels } from "./api/namespace-labels.ts";
import { createVolumeObjectSource } from "./api/volume-object-source.ts";

/**
 * Reads from the cluster of a kubeconfig, with the permissions of its user.
 * @param kubeconfig a file; default: kubectl's, KUBECONFIG or `~/.kube/config`
 * @throws Error if there is none, or it names no cluster
 */
export async function openReader(
  kubeconfig: string | undefined,
): Promise<SkillSource & Pick<ClusterView, "namespaceLabels"> & { close(): Promise<void> }> {
  const client = createApiClient(await connectByKubeconfig(kubeconfig));
  return {
    ...createVolumeObjectSource(client),
    namespaceLabels: (name, signal) => readNamespaceLabels(client, name, signal),
    close: () => {
      client.close();
      return Promise.resolve();
    },
  };
}
