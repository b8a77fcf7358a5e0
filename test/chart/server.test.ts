import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { apply } from "../cluster/harness/apply.ts";
import { kubectl, tryKubectl } from "../cluster/harness/cluster.ts";
import { createNamespace } from "../cluster/harness/namespaces.ts";
import { render } from "./helm.ts";

/** Kinds whose definitions other projects bring: their shape is looked at in templates.test.ts. */
const foreign = /^(?:cert-manager\.io|monitoring\.coreos\.com)\//;
const namespace = "chart-dry-run";

beforeAll(async () => {
  await createNamespace(namespace, { "pod-security.kubernetes.io/enforce": "restricted" });
  await kubectl(["apply", "--server-side", "--force-conflicts", "-f", "manifests/crds"]);
  await kubectl(["wait", "--for=condition=Established", "--timeout=60s", "-f", "manifests/crds"]);
});
afterAll(async () => {
  await kubectl(["delete", "-f", "manifests/crds"]);
  await kubectl(["delete", "namespace", namespace, "--wait=false"]);
});

const combinations = {
  "nothing but defaults": {},
  "one replica without guards": {
    replicas: 1,
    podDisruptionBudget: { enabled: false },
    networkPolicy: { enabled: false },
    priorityClassName: "",
    unregisterOnUninstall: { enabled: false },
  },
  "certificates of cert-manager": { certificates: { source: "CertManager" } },
  "certificates of somebody else": { certificates: { source: "Secret", secretName: "corporate" } },
  monitoring: {
    metrics: {
      serviceMonitor: { enabled: true },
      prometheusRule: { enabled: true },
      dashboards: { enabled: true, annotations: { folder: "security" } },
    },
  },
  "a narrow network": {
    networkPolicy: {
      apiServerCIDRs: ["10.0.0.2/32", "fd00::1/128"],
      webhookFrom: [
        { namespaceSelector: {}, podSelector: { matchLabels: { "k8s-app": "konnectivity-agent" } } },
      ],
      dns: true,
      extraEgress: [{ to: [{ ipBlock: { cidr: "192.0.2.0/24" } }] }],
    },
  },
  "the starter policy, enforced": {
    starterPolicy: {
      enabled: true,
      mode: "Enforce",
      namespaceSelector: { matchExpressions: [{ key: "tenant", operator: "Exists" }] },
    },
  },
  "everything that pods can be told": {
    image: { digest: `sha256:${"a".repeat(64)}`, pullSecrets: [{ name: "registry" }] },
    runAsUser: null,
    podAnnotations: { "example.com/a": "b" },
    podLabels: { example: "c" },
    commonLabels: { team: "security" },
    serviceAccount: { name: "mine", annotations: { "example.com/role": "d" } },
    rbac: { aggregate: false, readers: ["system:authenticated"] },
    commonAnnotations: { "example.com/a": "b" },
    dnsPolicy: "None",
    dnsConfig: { nameservers: ["192.0.2.53"], searches: ["example.com"], options: [{ name: "ndots" }] },
    extraEnv: [{ name: "NODE_NAME", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } }],
    extraVolumes: [{ name: "more", emptyDir: {} }],
    extraVolumeMounts: [{ name: "more", mountPath: "/more" }],
    extraContainers: [
      {
        name: "beside",
        image: "r.example/x",
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
      },
    ],
    nodeSelector: { "kubernetes.io/os": "linux" },
    tolerations: [
      { key: "dedicated", operator: "Equal", value: "x", effect: "NoExecute", tolerationSeconds: 60 },
    ],
    affinity: {
      podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [
          { topologyKey: "kubernetes.io/hostname", labelSelector: { matchLabels: { a: "b" } } },
        ],
      },
    },
    topologySpreadConstraints: [
      { maxSkew: 1, topologyKey: "rack", whenUnsatisfiable: "DoNotSchedule", labelSelector: {} },
    ],
    resources: { requests: { cpu: 1, memory: "1Gi" }, limits: { cpu: "2", memory: "1Gi" } },
    extraArgs: ["--address=::"],
  },
};

describe("what the chart makes", () => {
  it.each(Object.entries(combinations))("is taken by the API server, with %s", async (_, values) => {
    const objects = (await render(values, namespace)).filter(({ apiVersion }) => !foreign.test(apiVersion));
    expect(objects.length).toBeGreaterThan(10);
    const list = JSON.stringify({ apiVersion: "v1", kind: "List", items: objects });
    const args = [
      "apply",
      "--dry-run=server",
      "--server-side",
      "--force-conflicts",
      "--validate=strict",
      "-f",
      "-",
    ];
    const { code, stderr } = await tryKubectl(args, list);
    expect(stderr).toBe("");
    expect(code).toBe(0);
  });

  it("is what Pod Security restricted warns of, on the node's network", async () => {
    const items = (await render({ hostNetwork: true }, namespace)).filter(
      ({ kind }) => kind === "Deployment",
    );
    const args = ["apply", "--dry-run=server", "--server-side", "-f", "-"];
    const list = JSON.stringify({ apiVersion: "v1", kind: "List", items });
    expect(await tryKubectl(args, list)).toMatchObject({
      code: 0,
      stderr: expect.stringContaining("host namespaces (hostNetwork=true)") as string,
    });
  });

  it("would be refused, were it wrong: the same call finds a field that is not there", async () => {
    const items = [{ ...(await render({}, namespace))[0], spec: { podSelectors: {} } }];
    const { code, stderr } = await tryKubectl(
      ["apply", "--dry-run=server", "--server-side", "--validate=strict", "-f", "-"],
      JSON.stringify({ apiVersion: "v1", kind: "List", items }),
    );
    expect(code).toBe(1);
    expect(stderr).toContain("podSelectors");
  });

  it.each(["Deployment", "Job"])("has pods in its %s that Pod Security restricted lets in", async (kind) => {
    const objects = await render({}, namespace);
    const { metadata, spec } = objects.find((object) => object.kind === kind)!;
    await apply(...objects.filter((object) => object.kind === "ServiceAccount"));
    // A pod itself: about what makes pods, Pod Security only warns.
    const pod = (securityContext: object) => ({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: metadata.name, namespace },
      spec: { restartPolicy: "Never", ...spec.template.spec, securityContext, topologySpreadConstraints: [] },
    });
    const create = (object: object) =>
      tryKubectl(["create", "--dry-run=server", "-f", "-"], JSON.stringify(object));
    expect(await create(pod(spec.template.spec.securityContext))).toMatchObject({ code: 0, stderr: "" });
    expect((await create(pod({}))).stderr).toContain('violates PodSecurity "restricted:latest"');
  });
});
