import { podReview } from "../../fixtures/review.ts";
import { until } from "../../cluster/harness/process.ts";
import type { Cluster } from "./cluster.ts";
import type { Part } from "./material.ts";

/** Where the product is installed. */
export const home = "skill-admission";

/** One of the pods that answer. */
export interface Replica {
  readonly name: string;
  readonly ip: string;
  readonly ready: boolean;
  readonly containerId: string;
  readonly restarts: number;
}

interface PodList {
  readonly items: readonly {
    readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
    readonly status: {
      readonly podIP?: string;
      readonly conditions?: readonly { readonly type: string; readonly status: string }[];
      readonly containerStatuses?: readonly {
        readonly containerID?: string;
        readonly restartCount: number;
      }[];
    };
  }[];
}

const selector = encodeURIComponent(
  "app.kubernetes.io/name=skill-admission,app.kubernetes.io/component=webhook",
);

/** The replicas that are not on their way out. */
export async function replicas({ api }: Cluster): Promise<readonly Replica[]> {
  const list = await api.json<PodList>("GET", `/api/v1/namespaces/${home}/pods?labelSelector=${selector}`);
  return list.items
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ metadata, status }) => ({
      name: metadata.name,
      ip: status.podIP ?? "",
      ready: status.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") ?? false,
      containerId: status.containerStatuses?.[0]?.containerID?.replace("containerd://", "") ?? "",
      restarts: status.containerStatuses?.[0]?.restartCount ?? 0,
    }));
}

/** The pod that leads; waits for one where the lead has just been given up. */
export async function leader(cluster: Cluster): Promise<string> {
  const path = `/apis/coordination.k8s.io/v1/namespaces/${home}/leases/skill-admission`;
  let holder = "";
  const held = async (): Promise<boolean> => {
    const { spec } = await cluster.api.json<{ spec: { holderIdentity?: string } }>("GET", path);
    holder = spec.holderIdentity ?? "";
    return holder !== "";
  };
  await until("a replica leads", held, undefined);
  return holder.split("_")[0]!;
}

interface ReviewAnswer {
  readonly response: { readonly allowed: boolean; readonly status?: { readonly message?: string } };
}

/**
 * What one replica says about creating this pod, asked itself and not through the Service: at its pod's address, also
 * while there is no API server; in somebody else's cluster through the API server.
 */
export async function askReplica(
  { api, pods }: Cluster,
  { name, ip }: Pick<Replica, "name" | "ip">,
  pod: Part,
): Promise<{ readonly allowed: boolean; readonly message: string }> {
  const userInfo = { username: "asked-directly" };
  const review = podReview(pod, { dryRun: true, userInfo, oldObject: null });
  const path = `/api/v1/namespaces/${home}/pods/https:${name}:8443/proxy/validate`;
  const { response } =
    pods === undefined
      ? await api.json<ReviewAnswer>("POST", path, review)
      : await pods.json<ReviewAnswer>("POST", `/${ip}:8443/validate`, review);
  return { allowed: response.allowed, message: response.status?.message ?? "" };
}

/** One gauge or counter of a replica without or with these labels; the sum of all that match. */
export async function metric(
  { api }: Cluster,
  { name }: Pick<Replica, "name">,
  series: string,
): Promise<number> {
  const { body } = await api.call("GET", `/api/v1/namespaces/${home}/pods/http:${name}:9090/proxy/metrics`);
  const values = body
    .split("\n")
    .filter((line) => line.startsWith(`${series} `) || line.startsWith(`${series}{`))
    .map((line) => Number(line.slice(line.lastIndexOf(" ") + 1)));
  if (values.length === 0) throw new Error(`${name} has no ${series}`);
  return values.reduce((sum, value) => sum + value, 0);
}

/** Until when the authorities are valid by whose certificates the replicas serve, seconds since 1970. */
export async function authorities(cluster: Cluster): Promise<readonly number[]> {
  const gauge = 'skill_admission_webhook_certificate_not_after_timestamp_seconds{role="authority"}';
  return Promise.all((await replicas(cluster)).map((replica) => metric(cluster, replica, gauge)));
}
