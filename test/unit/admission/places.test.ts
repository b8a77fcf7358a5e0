import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { denial, namespace, policyObject, World } from "./world.ts";

type Part = Readonly<Record<string, unknown>>;

const emptyDir: Part = { emptyDir: {} };
const claim: Part = { persistentVolumeClaim: { claimName: "c" } };
const secret: Part = { secret: { secretName: "s" } };
const hostPath = (path: string): Part => ({ hostPath: { path } });

/** As the ServiceAccount plugin adds it to nearly every pod. */
const token: Part = {
  name: "kube-api-access-x7k2p",
  projected: {
    defaultMode: 420,
    sources: [
      { serviceAccountToken: { expirationSeconds: 3607, path: "token" } },
      { configMap: { items: [{ key: "ca.crt", path: "ca.crt" }], name: "kube-root-ca.crt" } },
      { downwardAPI: { items: [{ fieldRef: { fieldPath: "metadata.namespace" }, path: "namespace" }] } },
    ],
  },
};
const tokenMount: Part = {
  name: "kube-api-access-x7k2p",
  mountPath: "/var/run/secrets/kubernetes.io/serviceaccount",
  readOnly: true,
};

const podOf = (
  mounts: readonly (readonly [type: Part, path: string, more?: Part])[],
  more: Part = {},
): Part => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "w", namespace },
  spec: {
    containers: [
      {
        name: "main",
        image: "example.invalid/a",
        ...more,
        volumeMounts: [
          ...mounts.map(([, mountPath, own = {}], index) => ({ name: `v${index}`, mountPath, ...own })),
          tokenMount,
        ],
      },
    ],
    volumes: [...mounts.map(([type], index) => ({ name: `v${index}`, ...type })), token],
  },
});

const review = (pod: Part, unverifiable?: Part) =>
  new World().withPolicies(policyObject(unverifiable === undefined ? {} : { unverifiable })).review(pod);

const warningsOf = ({ body }: Awaited<ReturnType<typeof review>>): string =>
  (
    JSON.parse(body) as { readonly response: { readonly warnings?: readonly string[] } }
  ).response.warnings?.join("\n") ?? "";

const env = (name: string, value: string): Part => ({ env: [{ name, value }] });

describe("popular pods that pass without a word", () => {
  it.each<[string, Part]>([
    ["nothing but the token", podOf([])],
    [
      "nothing but the token, with a Secret of envFrom, a HOME of its own and a working directory",
      podOf([], {
        envFrom: [{ secretRef: { name: "s" } }],
        env: [{ name: "HOME", valueFrom: { secretKeyRef: { name: "s", key: "k" } } }],
        workingDir: "/app",
      }),
    ],
    [
      "Velero: emptyDir plugins at /plugins",
      podOf([[emptyDir, "/plugins"]], { image: "velero/velero:v1.16.0" }),
    ],
    ["an application's Secret at /config", podOf([[secret, "/config"]])],
    ["an application's Secret at /app/secrets", podOf([[secret, "/app/secrets"]])],
    ["a Secret at the working directory", podOf([[secret, "/app"]], { workingDir: "/app" })],
    ["a claim at /data", podOf([[claim, "/data"]])],
    ["workingDir /app, emptyDir /app/tmp", podOf([[emptyDir, "/app/tmp"]], { workingDir: "/app" })],
    ["workingDir /, emptyDir /tmp", podOf([[emptyDir, "/tmp"]], { workingDir: "/" })],
    ["HOME=/, emptyDir /tmp", podOf([[emptyDir, "/tmp"]], env("HOME", "/"))],
    ["a log shipper: host path /var/log", podOf([[hostPath("/var/log"), "/var/log"]])],
    ["host path /etc at /host/etc", podOf([[hostPath("/etc"), "/host/etc"]])],
    ["emptyDir at /etc/ssl", podOf([[emptyDir, "/etc/ssl"]])],
    [
      "Prometheus, Grafana, nginx: data and configuration at their own paths",
      podOf([
        [claim, "/prometheus"],
        [claim, "/var/lib/grafana"],
        [emptyDir, "/var/cache/nginx"],
        [secret, "/etc/nginx/tls"],
      ]),
    ],
    [
      "Istio and Linkerd: their folders and tokens",
      podOf([
        [emptyDir, "/etc/istio/proxy"],
        [emptyDir, "/var/run/secrets/workload-spiffe-uds"],
        [{ emptyDir: { medium: "Memory" } }, "/var/run/linkerd/identity/end-entity"],
        [
          {
            projected: { sources: [{ serviceAccountToken: { audience: "istio-ca", path: "istio-token" } }] },
          },
          "/var/run/secrets/tokens",
        ],
        [
          {
            downwardAPI: { items: [{ path: "labels", fieldRef: { fieldPath: "metadata.labels" } }] },
          },
          "/etc/istio/pod",
        ],
      ]),
    ],
    ["KServe: the model at /mnt/models", podOf([[emptyDir, "/mnt/models"]])],
    ["Spark: its local folder", podOf([[emptyDir, "/var/data/spark-0"]])],
    [
      "Airflow: logs and DAGs",
      podOf([
        [claim, "/opt/airflow/logs"],
        [emptyDir, "/opt/airflow/dags"],
      ]),
    ],
    ["Keycloak: its data", podOf([[emptyDir, "/opt/keycloak/data/tmp"]])],
    [
      "an optional ConfigMap that is not there, at a home",
      podOf([[{ configMap: { name: "absent", optional: true } }, "/home/agent/.config/app"]]),
    ],
    [
      "an optional ConfigMap that is not there, at a skill root",
      podOf([[{ configMap: { name: "absent", optional: true } }, "/skills"]]),
    ],
  ])("%s", async (_name, pod) => {
    const handled = await review(pod);
    expect(denial(handled)).toBeUndefined();
    expect(warningsOf(handled)).toBe("");
  });
});

describe("popular pods that pass with a warning", () => {
  it.each<[string, Part, says: string]>([
    ["a claim at /app", podOf([[claim, "/app"]]), "/app"],
    ["a claim at /opt/data", podOf([[claim, "/opt/data"]]), "/opt/data"],
    ["a claim at /config", podOf([[claim, "/config"]]), "/config"],
    ["a CNI installer: host path /opt at /opt", podOf([[hostPath("/opt"), "/opt"]]), "/opt"],
    ["host path /etc at /etc", podOf([[hostPath("/etc"), "/etc"]]), "/etc"],
    ["node exporter: host path / read-only", podOf([[hostPath("/"), "/host", { readOnly: true }]]), "/host"],
    [
      "HOME from a Secret, claim /tmp",
      podOf([[claim, "/tmp"]], {
        env: [{ name: "HOME", valueFrom: { secretKeyRef: { name: "s", key: "k" } } }],
      }),
      "/tmp",
    ],
    [
      "HOME=/home/$(USER) with envFrom of a Secret, claim /cache",
      podOf([[claim, "/cache"]], {
        ...env("HOME", "/home/$(USER)"),
        envFrom: [{ secretRef: { name: "s" } }],
      }),
      "/cache",
    ],
    [
      "envFrom of a Secret, claim /var/lib/app",
      podOf([[claim, "/var/lib/app"]], { envFrom: [{ secretRef: { name: "s" } }] }),
      "/var/lib/app",
    ],
  ])("%s", async (_name, pod, says) => {
    const handled = await review(pod);
    expect(denial(handled)).toBeUndefined();
    expect(warningsOf(handled)).toContain(`payments: ${says}: SOURCE_UNVERIFIABLE `);
    expect(warningsOf(handled)).toMatch(/; fix: (mount|set HOME) [^…]*$/);
  });
});

describe("popular pods that stay refused, say why, and which field allows just that", () => {
  it.each<[string, Part, why: string, field: string]>([
    [
      "Tekton: a claim at the working directory",
      podOf([[claim, "/workspace/source"]], { workingDir: "/workspace/source" }),
      "/workspace/source counts: it is the container's workingDir",
      "unverifiable.above.PersistentVolumeClaim",
    ],
    [
      "Jupyter",
      podOf([[claim, "/home/jovyan"]]),
      "/home/jovyan counts: it is a usual home",
      "unverifiable.above.PersistentVolumeClaim",
    ],
    [
      "code-server",
      podOf([[claim, "/home/coder"]]),
      "/home/coder counts: it is a usual home",
      "unverifiable.above.PersistentVolumeClaim",
    ],
    [
      "linuxserver.io: HOME=/config",
      podOf([[claim, "/config"]], env("HOME", "/config")),
      "/config counts: it is HOME (set in env)",
      "unverifiable.above.PersistentVolumeClaim",
    ],
    [
      "a claim around the working directory",
      podOf([[claim, "/app"]], { workingDir: "/app/src" }),
      "/app counts: /app/src below it is the container's workingDir",
      "unverifiable.above.PersistentVolumeClaim",
    ],
    [
      "host path / writable",
      podOf([[hostPath("/"), "/host"]]),
      "/host counts: the host path gives access to /var/lib/kubelet of the node (kubelet), with the files of other pods",
      "unverifiable.hostRuntime",
    ],
    [
      "the container runtime's socket",
      podOf([[hostPath("/run/containerd/containerd.sock"), "/run/containerd.sock"]]),
      "/run/containerd.sock counts: the host path gives access to /run/containerd of the node (containerd)",
      "unverifiable.hostRuntime",
    ],
    [
      "a claim at a skill root",
      podOf([[claim, "/x/skills"]]),
      "/x/skills counts: it is a skill root",
      "unverifiable.PersistentVolumeClaim",
    ],
  ])("%s", async (_name, pod, why, field) => {
    const text = denial(await review(pod));
    expect(text).toContain(why);
    expect(text).toContain(`, or let the policy say ${field}: Allow`);
    const [, ...path] = field.split(".");
    const allowed = await review(
      pod,
      path.reduceRight<Part>((inner, name) => ({ [name]: inner }), "Allow" as never),
    );
    expect(denial(allowed)).toBeUndefined();
    expect(warningsOf(allowed)).toBe("");
  });

  it("in the words that docs/places.md shows", async () => {
    const page = await readFile(join(import.meta.dirname, "../../../docs/places.md"), "utf8");
    const [, shown = ""] = /^```text\n(.*?)^```$/ms.exec(page) ?? [];
    const pod = podOf([[{ persistentVolumeClaim: { claimName: "notebook" } }, "/home/jovyan"]]);
    const text = denial(await review(pod))?.replaceAll('volume "v0"', 'volume "home"');
    expect(shown).toMatch(/^- jovyan .*\n {2}SOURCE_UNVERIFIABLE .*\n {2}fix: .*\n$/);
    expect(text).toContain(shown);
  });

  it("an unknown home, where the policy denies it", async () => {
    const pod = podOf([[claim, "/cache"]], { envFrom: [{ secretRef: { name: "s" } }] });
    const text = denial(await review(pod, { unknownHome: "Deny" }));
    expect(text).toContain("/cache counts: HOME may come from the Secret s, which is not read");
    expect(text).toContain(
      "fix: set HOME in the container's env, which wins, to a folder away from this mount, or let the policy say unverifiable.unknownHome: Allow",
    );
    const mended = podOf([[claim, "/cache"]], {
      envFrom: [{ secretRef: { name: "s" } }],
      ...env("HOME", "/work"),
    });
    expect(denial(await review(mended, { unknownHome: "Deny" }))).toBeUndefined();
  });
});

describe("a place that could hold a skill", () => {
  it("needs no name that the policy lists, and no read-only mount, once it is allowed", async () => {
    const strict = policyObject({
      skills: [{ names: ["data-designer"], sources: ["ConfigMap"] }],
      immutability: { readOnlyMount: "Required" },
      unverifiable: { above: { PersistentVolumeClaim: "Allow" } },
    });
    const at = (path: string) => new World().withPolicies(strict).review(podOf([[claim, path]]));
    expect(denial(await at("/home/agent"))).toBeUndefined();
    expect(denial(await at("/skills/x"))).toContain("SKILL_NOT_ALLOWED");
    expect(denial(await at("/skills/x"))).toContain("WRITABLE_MOUNT");
  });

  it("is found when a ConfigMap of envFrom moves the home of a running pod onto it", async () => {
    const configMap = (data: Part) => ({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "c", namespace },
      data,
    });
    const running = podOf([[claim, "/cache"]], { envFrom: [{ configMapRef: { name: "c" } }] });
    const world = new World().withPolicies(policyObject());
    world.running = [running];
    const update = (data: Part) =>
      world.review(configMap(data), { operation: "UPDATE", oldObject: configMap({ LEVEL: "info" }) });
    expect(denial(await update({ LEVEL: "debug" }))).toBeUndefined();
    expect(denial(await update({ HOME: "/work" }))).toBeUndefined();
    expect(denial(await update({ HOME: "/cache" }))).toContain("/cache counts: it is HOME (set in envFrom)");
  });
});
