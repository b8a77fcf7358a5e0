import { parse } from "yaml";

/** Where K3s writes its administrator's kubeconfig. */
export const kubeconfigFile = "/etc/rancher/k3s/k3s.yaml";

/** Where the container has what is handed to its API server, and what that writes. */
export const auditPolicyFile = "/etc/skill-admission/audit-policy.yaml";
export const auditLogFile = "/var/log/skill-admission/audit.log";

/** What K3s writes when its API server answers and its controllers run. */
export const readyLine = /k3s is up and running/;

/** The same Kubernetes as the binaries that build-control-plane.ts builds. */
const pinnedImage = "rancher/k3s:v1.36.3-k3s1";

/** The image to run; `TEST_K3S_IMAGE` names another, for mirrors and other versions. */
export function k3sImage(environment: Readonly<Record<string, string | undefined>>): string {
  const named = environment["TEST_K3S_IMAGE"];
  return named === undefined || named === "" ? pinnedImage : named;
}

/**
 * K3s as a control plane alone, so that tests see what they see on the binaries: no node, no scheduler, nothing deployed,
 * and webhooks called directly, not through a node's tunnel.
 * @param host under which this machine reaches the API server: its certificate is for that name too
 */
export const k3sCommand = (host: string): string[] => [
  "server",
  `--tls-san=${host}`,
  "--disable-agent",
  "--disable-scheduler",
  "--disable-cloud-controller",
  "--disable-network-policy",
  "--disable-helm-controller",
  "--disable=coredns,local-storage,metrics-server,runtimes,servicelb,traefik",
  "--flannel-backend=none",
  "--egress-selector-mode=disabled",
  `--kube-apiserver-arg=audit-policy-file=${auditPolicyFile}`,
  `--kube-apiserver-arg=audit-log-path=${auditLogFile}`,
];

/** What an administrator's kubeconfig of K3s holds, in PEM. */
export interface Credentials {
  readonly ca: string;
  readonly clientCert: string;
  readonly clientKey: string;
}

type Entry = Readonly<Record<string, Readonly<Record<string, unknown>> | undefined>>;

/**
 * Takes the authority and the administrator out of K3s's kubeconfig, whose server is an address inside the container.
 * @throws Error that names the field which is missing
 */
export function credentialsOf(kubeconfig: string): Credentials {
  const config = parse(kubeconfig) as {
    readonly clusters?: readonly [Entry];
    readonly users?: readonly [Entry];
  } | null;
  const text = (entry: Entry | undefined, part: string, field: string): string => {
    const value = entry?.[part]?.[field];
    if (typeof value !== "string") throw new Error(`the kubeconfig of K3s has no ${part}.${field}`);
    return value;
  };
  const pem = (entry: Entry | undefined, part: string, field: string): string =>
    Buffer.from(text(entry, part, field), "base64").toString();
  const cluster = config?.clusters?.[0];
  const user = config?.users?.[0];
  return {
    ca: pem(cluster, "cluster", "certificate-authority-data"),
    clientCert: pem(user, "user", "client-certificate-data"),
    clientKey: pem(user, "user", "client-key-data"),
  };
}
