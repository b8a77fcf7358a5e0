import { join } from "node:path";
import { projectRoot } from "../../cluster/harness/binaries.ts";
import { until } from "../../cluster/harness/process.ts";
import type { Cluster } from "./cluster.ts";
import { home, replicas } from "./replicas.ts";

export const chart = join(projectRoot, "charts/skill-admission");

/** The flags of `helm install` and `helm upgrade`: nothing but where the image is. */
export const flags = ({ product }: Cluster, tag = product.tag): readonly string[] => [
  ...["--namespace", home, "--wait", "--timeout", "120s"],
  ...["--set", `image.repository=${product.repository},image.tag=${tag},image.pullPolicy=IfNotPresent`],
];

export const registered = async ({ api }: Cluster): Promise<boolean> => {
  const path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/skill-admission";
  return (await api.call("GET", path)).status === 200;
};

/** The namespace of the controller, where the API server lets nothing in but what Pod Security calls restricted. */
export async function prepareHome({ kubectl }: Cluster): Promise<void> {
  const labels = { "pod-security.kubernetes.io/enforce": "restricted" };
  const manifest = { apiVersion: "v1", kind: "Namespace", metadata: { name: home, labels } };
  await kubectl(["apply", "-f", "-"], JSON.stringify(manifest));
}

/** All replicas are ready, and every API server asks them. */
export async function untilWhole(cluster: Cluster, count = 3): Promise<void> {
  const ready = async (): Promise<boolean> => {
    const found = await replicas(cluster);
    return found.length === count && found.every((replica) => replica.ready);
  };
  await until(`${count} replicas are ready`, ready, undefined, 90_000);
  await until("the webhook is registered", () => registered(cluster), undefined);
}
