import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { group, ownKinds, ownResources } from "../../src/policy/resource/kinds.ts";
import { serveOptions } from "../../src/serve-options.ts";
import { projectRoot } from "../cluster/harness/binaries.ts";
import { one, render, renderTest, type PodSpec, type Rendered, type Rule } from "./helm.ts";

const plain = await render();
const deployment = one(plain, "Deployment");
const podSpecs = (objects: readonly Rendered[]) =>
  objects.filter(({ kind }) => kind === "Deployment" || kind === "Job").map(({ spec }) => spec.template.spec);
const argsOf = (objects: readonly Rendered[]) =>
  one(objects, "Deployment").spec.template.spec.containers[0].args;

/** One line for each thing that a role allows. */
const allowed = (rules: readonly Rule[]): readonly string[] =>
  rules
    .flatMap(({ apiGroups, resources, verbs, resourceNames = ["*"] }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) =>
          verbs.flatMap((verb) => resourceNames.map((name) => `${verb} ${group}/${resource} ${name}`)),
        ),
      ),
    )
    .sort();

describe("every object", () => {
  it("has the namespace of the release, where its kind has one", () => {
    const clusterWide = [
      "ClusterRole",
      "ClusterRoleBinding",
      "CustomResourceDefinition",
      "FlowSchema",
      "PriorityLevelConfiguration",
      "ValidatingAdmissionPolicy",
      "ValidatingAdmissionPolicyBinding",
    ];
    for (const { kind, metadata } of plain) {
      expect([kind, metadata.namespace]).toEqual([
        kind,
        clusterWide.includes(kind) ? undefined : "skill-admission",
      ]);
    }
  });

  it("says what it belongs to, and carries the common labels", async () => {
    const labelled = await render({ commonLabels: { team: "security" }, starterPolicy: { enabled: true } });
    expect(labelled.length).toBeGreaterThan(20);
    for (const { metadata } of labelled) {
      expect(metadata.labels).toMatchObject({
        "app.kubernetes.io/part-of": "skill-admission",
        "app.kubernetes.io/managed-by": "Helm",
        team: "security",
      });
    }
    expect(one(labelled, "Deployment").spec.template.metadata.labels).toMatchObject({ team: "security" });
  });

  it("gives objects of monitoring a label once, and alerts the address of their runbook", async () => {
    const enabled = { enabled: true, labels: { team: "on-call", release: "prometheus" } };
    const runbookBase = "https://git.example.com/skill-admission/";
    const rendered = await render({
      commonLabels: { team: "security", a: "1" },
      metrics: {
        serviceMonitor: enabled,
        prometheusRule: { ...enabled, runbookBase },
        dashboards: enabled,
      },
    });
    for (const kind of ["ServiceMonitor", "PrometheusRule"])
      expect(one(rendered, kind).metadata.labels).toMatchObject({
        team: "on-call",
        release: "prometheus",
        a: "1",
      });
    const rules = JSON.stringify(one(rendered, "PrometheusRule").spec);
    expect(rules).toContain(`"runbook_url":"${runbookBase}docs/operations.md#skilladmissiondown"`);
    expect(rules).not.toContain('"runbook_url":"docs/');
  });

  it("gives pods a label once, which may differ from that of all objects", async () => {
    const rendered = await render({
      commonLabels: { team: "security", a: "1" },
      podLabels: { team: "on-call" },
    });
    const { metadata, spec } = one(rendered, "Deployment");
    expect(metadata.labels).toMatchObject({ team: "security", a: "1" });
    expect(spec.template.metadata.labels).toMatchObject({ team: "on-call", a: "1" });
  });
});

describe("pods", () => {
  it("are what Pod Security calls restricted, the webhook's as well as the job's", () => {
    const specs = podSpecs(plain);
    expect(specs).toHaveLength(2);
    for (const { securityContext, containers, automountServiceAccountToken } of specs) {
      expect(automountServiceAccountToken).toBe(true);
      expect(securityContext).toMatchObject({
        runAsNonRoot: true,
        runAsUser: 65532,
        seccompProfile: { type: "RuntimeDefault" },
      });
      expect(containers[0].securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      });
      expect(containers[0].resources.limits["memory"]).toMatch(/Mi$/);
    }
  });

  it("leave the user to the platform, when runAsUser is null", async () => {
    for (const { securityContext } of podSpecs(await render({ runAsUser: null }))) {
      expect(securityContext).toEqual({ runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } });
    }
  });

  it("have time to stop: more than grace and drain together", async () => {
    expect(deployment.spec.template.spec.terminationGracePeriodSeconds).toBe(20);
    const slow = one(await render({ webhook: { graceSeconds: 30, drainSeconds: 60 } }), "Deployment");
    expect(slow.spec.template.spec.terminationGracePeriodSeconds).toBe(95);
  });

  it("are replaced with one more than wanted, or one less where two cannot share the network of a node", async () => {
    const strategyOf = (objects: readonly Rendered[]) =>
      one(objects, "Deployment").spec.strategy.rollingUpdate;
    expect(strategyOf(plain)).toEqual({ maxUnavailable: 0, maxSurge: 1 });
    expect(strategyOf(await render({ hostNetwork: true }))).toEqual({ maxUnavailable: 1, maxSurge: 0 });
  });

  it("share their ports with nobody on the network of a node, where others may run as the same user", async () => {
    expect(argsOf(await render({ hostNetwork: true }))).toContain("--exclusive-ports=on");
    expect(argsOf(plain).join(" ")).not.toContain("--exclusive-ports");
  });

  it("are called with flags that serve has, and no others", async () => {
    const flags = new Set(serveOptions.map(({ flag }) => flag.split(" ", 1)[0]));
    const everything = await render({
      certificates: { source: "Secret" },
      events: { enabled: false },
      hostNetwork: true,
      extraArgs: ["--address=::"],
      trust: { tuf: { mirrors: ["https://tuf.example.com"] } },
    });
    const [command, ...args] = argsOf(everything);
    expect(command).toBe("serve");
    expect(args.length).toBeGreaterThan(9);
    expect(args.map((arg) => arg.split("=", 1)[0]!).filter((flag) => !flags.has(flag))).toEqual([]);
    expect(args).toContain("--address=::");
  });

  it("run the image by tag, by the chart's version, or by digest", async () => {
    const imageOf = async (image: object) =>
      podSpecs(await render({ image })).map(({ containers }) => containers[0].image);
    expect(await imageOf({})).toEqual(["localhost/skill-admission:0.1.0", "localhost/skill-admission:0.1.0"]);
    expect(await imageOf({ repository: "r.example/x", tag: "2" })).toEqual([
      "r.example/x:2",
      "r.example/x:2",
    ]);
    const digest = `sha256:${"a".repeat(64)}`;
    expect(await imageOf({ tag: "2", digest })).toEqual(Array(2).fill(`localhost/skill-admission@${digest}`));
  });

  it("go where they are told, job included", async () => {
    const wishes = {
      nodeSelector: { role: "system" },
      tolerations: [{ key: "dedicated", operator: "Exists" as const }],
      priorityClassName: "important",
      image: { pullSecrets: [{ name: "registry" }] },
    };
    for (const spec of podSpecs(await render(wishes))) {
      expect(spec).toMatchObject({
        nodeSelector: wishes.nodeSelector,
        tolerations: wishes.tolerations,
        priorityClassName: "important",
        imagePullSecrets: [{ name: "registry" }],
      });
    }
  });

  it("are spread over nodes and zones as far as there are any, or as told", async () => {
    expect(deployment.spec.template.spec.topologySpreadConstraints).toMatchObject([
      { topologyKey: "kubernetes.io/hostname", whenUnsatisfiable: "ScheduleAnyway" },
      { topologyKey: "topology.kubernetes.io/zone", whenUnsatisfiable: "ScheduleAnyway" },
    ]);
    const topologySpreadConstraints = [
      { maxSkew: 1, topologyKey: "rack", whenUnsatisfiable: "DoNotSchedule", labelSelector: {} },
    ];
    const told = one(await render({ topologySpreadConstraints }), "Deployment");
    expect(told.spec.template.spec.topologySpreadConstraints).toEqual(topologySpreadConstraints);
  });
});

describe("selectors", () => {
  it("of Services, budget and Deployment all choose the webhook's pods and not the job's", () => {
    const pod = deployment.spec.template.metadata.labels;
    const job = one(plain, "Job").spec.template.metadata.labels;
    const selectors = [
      deployment.spec.selector.matchLabels,
      one(plain, "PodDisruptionBudget").spec.selector.matchLabels,
      ...plain.filter(({ kind }) => kind === "Service").map(({ spec }) => spec.selector as unknown),
    ] as readonly Record<string, string>[];
    expect(selectors).toHaveLength(4);
    for (const selector of selectors) {
      expect(pod).toMatchObject(selector);
      expect(job).not.toMatchObject(selector);
    }
  });

  it("of the NetworkPolicy choose both", () => {
    const { matchLabels } = one(plain, "NetworkPolicy").spec.podSelector;
    for (const { spec } of [deployment, one(plain, "Job")])
      expect(spec.template.metadata.labels).toMatchObject(matchLabels);
  });

  it("of a ServiceMonitor choose the metrics' Service and no other", async () => {
    const objects = await render({
      metrics: { serviceMonitor: { enabled: true, labels: { release: "prom" } } },
    });
    const monitor = one(objects, "ServiceMonitor");
    const chosen = objects.filter(
      ({ kind, metadata }) =>
        kind === "Service" &&
        Object.entries(monitor.spec.selector.matchLabels).every(
          ([key, value]) => metadata.labels[key] === value,
        ),
    );
    expect(chosen.map(({ metadata }) => metadata.name)).toEqual(["skill-admission-metrics"]);
    expect(monitor.metadata.labels["release"]).toBe("prom");
    expect(chosen[0]!.spec.ports.map(({ name }) => name)).toContain(monitor.spec.endpoints[0].port);
  });
});

describe("rights", () => {
  it("are those of docs/cluster.md, cluster-wide", async () => {
    const text = await readFile(join(projectRoot, "docs/cluster.md"), "utf8");
    const blocks = [...text.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, block = ""]) => block);
    const documented = parse(blocks.find((block) => block.includes("kind: ClusterRole\n"))!) as Rendered;
    expect(allowed(one(plain, "ClusterRole", "skill-admission").rules)).toEqual(allowed(documented.rules));
  });

  it("cover every kind of ours, and nothing of our group beside them", () => {
    const { rules } = one(plain, "ClusterRole", "skill-admission");
    const needed = ownKinds.map((kind) => `${group}/${ownResources[kind].plural}`);
    expect(allowed(rules.filter(({ apiGroups }) => apiGroups.includes(group)))).toEqual(
      needed.flatMap((name) => [`list ${name} *`, `patch ${name}/status *`, `watch ${name} *`]).sort(),
    );
  });

  it("in its own namespace are its Secret, its Lease, its Service and who answers behind it", () => {
    expect(allowed(one(plain, "Role", "skill-admission").rules)).toEqual([
      "create /secrets *",
      "create coordination.k8s.io/leases *",
      "get /secrets skill-admission-certificates",
      "get /services skill-admission",
      "get coordination.k8s.io/leases skill-admission",
      "list /configmaps *",
      "list discovery.k8s.io/endpointslices *",
      "patch /secrets skill-admission-certificates",
      "update coordination.k8s.io/leases skill-admission",
      "watch /configmaps *",
    ]);
  });

  it("are to the Secrets that trust roots may refer to, by their names", async () => {
    const objects = await render({
      trust: { secrets: ["roots", "more"] },
      certificates: { source: "Secret" },
    });
    expect(
      allowed(one(objects, "Role", "skill-admission").rules).filter((line) => line.includes("secrets")),
    ).toEqual(["list /secrets more", "list /secrets roots", "watch /secrets more", "watch /secrets roots"]);
  });

  it("never have a wildcard, and reach no Secret beyond its own", async () => {
    const objects = await render({ certificates: { source: "CertManager" } });
    const all = [...plain, ...objects].filter(({ kind }) => kind === "ClusterRole" || kind === "Role");
    expect(JSON.stringify(all.map(({ rules }) => rules))).not.toContain('"*"');
    expect(JSON.stringify(one(plain, "ClusterRole", "skill-admission"))).not.toContain("secrets");
    // With certificates from a volume, not even its own.
    expect(JSON.stringify(one(objects, "Role", "skill-admission"))).not.toContain("secrets");
  });

  it("are fewer without Events", async () => {
    const silent = await render({ events: { enabled: false } });
    expect(allowed(one(plain, "ClusterRole", "skill-admission").rules)).toContain(
      "create events.k8s.io/events *",
    );
    expect(JSON.stringify(one(silent, "ClusterRole", "skill-admission"))).not.toContain("events");
    expect(argsOf(silent)).toContain("--events=off");
  });

  it("bounds what is asked about by the installation's own selector, exemptions and failure policy", async () => {
    const about = (objects: readonly Rendered[]) =>
      argsOf(objects).filter((arg) => /^--(failure-policy|exempt-namespaces|namespace-selector)=/.test(arg));
    expect(about(plain)).toEqual(["--failure-policy=Fail"]);
    const namespaceSelector = {
      matchExpressions: [{ key: "pilot", operator: "In", values: ['a"b', "yes"] }],
    };
    const exemptNamespaces = ["monitoring", "istio-system"];
    const [policy, exempt, selector = "", ...others] = about(
      await render({ webhook: { namespaceSelector, exemptNamespaces, failurePolicy: "Ignore" } }),
    );
    expect([policy, exempt, others]).toEqual([
      "--failure-policy=Ignore",
      "--exempt-namespaces=monitoring,istio-system",
      [],
    ]);
    expect(JSON.parse(selector.replace("--namespace-selector=", ""))).toEqual(namespaceSelector);
    const tested = await renderTest({ webhook: { namespaceSelector: { matchLabels: { pilot: "yes" } } } });
    expect(one(tested, "Namespace", "skill-admission-canary").metadata.labels).toMatchObject({
      pilot: "yes",
    });
  });

  it("of the job are to take the registration away, and nothing of what the webhook reads", () => {
    expect(allowed(one(plain, "ClusterRole", "skill-admission-unregister").rules)).toEqual([
      "delete admissionregistration.k8s.io/validatingwebhookconfigurations skill-admission",
      "get admissionregistration.k8s.io/validatingwebhookconfigurations skill-admission",
    ]);
    expect(allowed(one(plain, "Role", "skill-admission-unregister").rules)).toEqual([
      "create coordination.k8s.io/leases *",
      "get /services skill-admission",
      "get coordination.k8s.io/leases skill-admission",
      "update coordination.k8s.io/leases skill-admission",
    ]);
  });
});

describe("what platform teams set", () => {
  const wishes = {
    podLabels: { mesh: "ambient" },
    podAnnotations: { "sidecar.istio.io/inject": "false" },
    commonAnnotations: { owner: "platform" },
  };

  it("stands on the pods of jobs too", async () => {
    const objects = await render(wishes);
    const templates = objects.filter(
      ({ spec }) => (spec as Rendered["spec"] | undefined)?.template !== undefined,
    );
    expect(templates.map(({ kind }) => kind).sort()).toEqual(["Deployment", "Job"]);
    for (const { spec } of templates)
      expect(spec.template.metadata).toMatchObject({
        labels: wishes.podLabels,
        annotations: wishes.podAnnotations,
      });
  });

  it("stands on every object as an annotation, beside its own", async () => {
    const objects = await render({
      ...wishes,
      serviceAccount: { annotations: { owner: "me" } },
      metrics: { dashboards: { enabled: true, annotations: { folder: "a" } } },
    });
    for (const { kind, metadata } of objects)
      expect([kind, metadata.annotations?.["owner"]]).toEqual([
        kind,
        kind === "ServiceAccount" && metadata.name === "skill-admission" ? "me" : "platform",
      ]);
    const crd = objects.find(({ kind }) => kind === "CustomResourceDefinition")!;
    expect(crd.metadata.annotations).toMatchObject({
      "helm.sh/resource-policy": "keep",
      "skill-admission.dev/fields": expect.stringContaining("spec.") as string,
    });
    expect(one(objects, "Job").metadata.annotations).toMatchObject({ "helm.sh/hook": "pre-delete" });
    expect(one(objects, "ConfigMap").metadata.annotations).toMatchObject({ folder: "a" });
  });

  it("goes into the webhook's pods: variables, volumes, mounts, containers, DNS", async () => {
    const extra = {
      extraEnv: [{ name: "HTTPS_PROXY", value: "http://proxy:3128" }],
      extraVolumes: [{ name: "ca", configMap: { name: "corporate-ca" } }],
      extraVolumeMounts: [{ name: "ca", mountPath: "/etc/corporate", readOnly: true }],
      extraContainers: [{ name: "proxy", image: "r.example/proxy:1" }],
      dnsPolicy: "None",
      dnsConfig: { nameservers: ["192.0.2.53"], options: [{ name: "ndots", value: "1" }] },
    };
    const { spec } = one(await render(extra), "Deployment").spec.template;
    expect(spec).toMatchObject({ dnsPolicy: "None", dnsConfig: extra.dnsConfig });
    expect(spec.volumes).toEqual(expect.arrayContaining(extra.extraVolumes));
    const [webhook, ...others] = spec.containers as readonly unknown[];
    expect(others).toEqual(extra.extraContainers);
    expect(webhook).toMatchObject({
      env: expect.arrayContaining([
        ...extra.extraEnv,
        expect.objectContaining({ name: "POD_NAME" }),
      ]) as unknown,
      volumeMounts: expect.arrayContaining(extra.extraVolumeMounts) as unknown,
    });
    expect(deployment.spec.template.spec).not.toHaveProperty("dnsPolicy");
    const hostNetwork = one(await render({ hostNetwork: true }), "Deployment");
    expect(hostNetwork.spec.template.spec).toMatchObject({ dnsPolicy: "ClusterFirstWithHostNet" });
  });

  it("names the account, which then has the rights, or finds one that is there, for jobs too", async () => {
    const subjects = (objects: readonly Rendered[]) =>
      objects
        .filter(({ kind }) => kind.endsWith("RoleBinding"))
        .map(
          (object) =>
            (object as unknown as { readonly subjects: readonly [{ name: string }] }).subjects[0].name,
        );
    const accounts = (objects: readonly Rendered[]) =>
      objects.filter(({ kind }) => kind === "ServiceAccount").map(({ metadata }) => metadata.name);
    const named = await render({ serviceAccount: { name: "mine" } });
    expect(accounts(named).sort()).toEqual(["mine", "skill-admission-unregister"]);
    expect(new Set(subjects(named))).toEqual(new Set(["mine", "skill-admission-unregister"]));
    const found = await render({ serviceAccount: { create: false, name: "mine" } });
    expect(accounts(found)).toEqual([]);
    expect(new Set(subjects(found))).toEqual(new Set(["mine"]));
    for (const object of [one(found, "Deployment"), one(found, "Job")])
      expect(object.spec.template.spec).toMatchObject({ serviceAccountName: "mine" });
    const flow = one(found, "FlowSchema").spec as unknown as { readonly rules: unknown };
    expect(JSON.stringify(flow.rules)).toContain(
      '"serviceAccount":{"name":"mine","namespace":"skill-admission"}',
    );
  });

  it("leaves all roles to somebody else", async () => {
    const kinds = (await render({ rbac: { create: false } })).map(({ kind }) => kind);
    expect(kinds.filter((kind) => /Role/.test(kind))).toEqual([]);
    expect(kinds).toContain("ServiceAccount");
  });

  it("comes from a chart around this one: its registry and pull secrets", async () => {
    const digest = `sha256:${"a".repeat(64)}`;
    const imagesOf = async (values: object) =>
      podSpecs(await render(values)).map(({ containers }) => containers[0].image);
    const global = { imageRegistry: "mirror.example:5000/", somethingElse: { of: "another chart" } };
    expect(new Set(await imagesOf({ global }))).toEqual(
      new Set(["mirror.example:5000/skill-admission:0.1.0"]),
    );
    const image = { repository: "r.example/team/skill-admission", digest };
    expect(await imagesOf({ global, image })).toContain(`mirror.example:5000/team/skill-admission@${digest}`);
    expect(await imagesOf({ global, image: { repository: "team/x" } })).toContain(
      "mirror.example:5000/team/x:0.1.0",
    );
    const secrets = { imagePullSecrets: ["a", { name: "b" }] };
    for (const spec of podSpecs(await render({ global: secrets, image: { pullSecrets: [{ name: "b" }] } })))
      expect(spec).toMatchObject({ imagePullSecrets: [{ name: "b" }, { name: "a" }] });
  });

  it("follows pods instead of Services for metrics", async () => {
    const monitor = one(
      await render({
        metrics: { podMonitor: { enabled: true, interval: "15s", labels: { release: "prom" } } },
      }),
      "PodMonitor",
    );
    const spec = monitor.spec as unknown as { readonly podMetricsEndpoints: readonly { port: string }[] };
    expect(deployment.spec.template.metadata.labels).toMatchObject(monitor.spec.selector.matchLabels);
    expect(one(plain, "Job").spec.template.metadata.labels).not.toMatchObject(
      monitor.spec.selector.matchLabels,
    );
    expect(deployment.spec.template.spec.containers[0].ports).toContainEqual(
      expect.objectContaining({ name: spec.podMetricsEndpoints[0]!.port }),
    );
    expect(spec.podMetricsEndpoints).toMatchObject([{ interval: "15s" }]);
    expect(monitor.metadata.labels["release"]).toBe("prom");
  });
});

describe("the flow of the controller's requests", () => {
  it("is of its own account, at a level of its own", () => {
    const schema = one(plain, "FlowSchema").spec as unknown as {
      readonly matchingPrecedence: number;
      readonly priorityLevelConfiguration: { readonly name: string };
    };
    expect(schema.priorityLevelConfiguration.name).toBe(
      one(plain, "PriorityLevelConfiguration").metadata.name,
    );
    expect(schema.matchingPrecedence).toBeLessThan(900);
  });

  it("is left alone when it is switched off", async () => {
    const kinds = (await render({ flowControl: { enabled: false } })).map(({ kind }) => kind);
    expect(kinds).not.toContain("FlowSchema");
    expect(kinds).not.toContain("PriorityLevelConfiguration");
  });
});

describe("people's rights", () => {
  it("are to read what decides, nothing else, as a part of the cluster's own roles", () => {
    const role = one(plain, "ClusterRole", "skill-admission-view");
    expect(new Set(role.rules.flatMap(({ verbs }) => verbs))).toEqual(new Set(["get", "list", "watch"]));
    expect(role.rules.flatMap(({ resources }) => resources).sort()).toEqual(
      [...ownKinds.map((kind) => ownResources[kind].plural), "validatingwebhookconfigurations"].sort(),
    );
    expect(role.metadata.labels).toMatchObject({ "rbac.authorization.k8s.io/aggregate-to-view": "true" });
    expect(
      plain.filter(({ kind, metadata }) => kind === "ClusterRoleBinding" && metadata.name.endsWith("-view")),
    ).toEqual([]);
  });

  it("are no part of them when that is not wanted, and given to groups that are named", async () => {
    const objects = await render({ rbac: { aggregate: false, readers: ["developers", "123"] } });
    expect(JSON.stringify(one(objects, "ClusterRole", "skill-admission-view"))).not.toContain("aggregate");
    expect(one(objects, "ClusterRoleBinding", "skill-admission-view")).toMatchObject({
      roleRef: { name: "skill-admission-view" },
      subjects: [
        { kind: "Group", name: "developers" },
        { kind: "Group", name: "123" },
      ],
    });
  });
});

describe("the canary of helm test", async () => {
  const hooks = await renderTest();
  const pod = one(hooks, "Pod") as unknown as {
    readonly metadata: Rendered["metadata"];
    readonly spec: PodSpec & { readonly serviceAccountName: string };
  };

  it("is made and removed by Helm alone, its pod last, and rendered with nothing else", async () => {
    expect(hooks.map(({ kind }) => kind).sort()).toEqual([
      "ClusterSkillPolicy",
      "ConfigMap",
      "Namespace",
      "Pod",
      "Role",
      "RoleBinding",
      "ServiceAccount",
    ]);
    const weight = ({ metadata }: Pick<Rendered, "metadata">) =>
      Number(metadata.annotations?.["helm.sh/hook-weight"]);
    for (const hook of hooks) {
      expect(hook.metadata.annotations?.["helm.sh/hook-delete-policy"]).toBe(
        "before-hook-creation,hook-succeeded",
      );
      if (hook.kind !== "Pod") expect(weight(hook)).toBeLessThan(weight(pod));
      if (hook.kind !== "Namespace") expect(weight(hook)).toBeGreaterThan(weight(one(hooks, "Namespace")));
    }
    expect(await renderTest({ canary: { enabled: false } })).toEqual([]);
  });

  it("may create pods in its own namespace and nothing else, and governs nothing but that", () => {
    const role = one(hooks, "Role");
    expect(allowed(role.rules)).toEqual(["create /pods *"]);
    expect(role.metadata.namespace).toBe("skill-admission-canary");
    expect(one(hooks, "ClusterSkillPolicy").spec).toMatchObject({
      mode: "Enforce",
      namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "skill-admission-canary" } },
    });
    expect(
      plain.filter(({ kind, metadata }) => kind === "ClusterRole" && metadata.name.includes("canary")),
    ).toEqual([]);
  });

  it("has a pod like the webhook's: restricted, of the same image, reached by no Service, let out by the NetworkPolicy", () => {
    expect(pod.spec.securityContext).toEqual(deployment.spec.template.spec.securityContext);
    const [container] = pod.spec.containers;
    expect(container.securityContext).toEqual(deployment.spec.template.spec.containers[0].securityContext);
    expect(container.image).toBe(deployment.spec.template.spec.containers[0].image);
    expect(pod.spec.serviceAccountName).toBe(one(hooks, "ServiceAccount").metadata.name);
    expect(pod.metadata.labels).not.toMatchObject(deployment.spec.selector.matchLabels);
    expect(pod.metadata.labels).toMatchObject(one(plain, "NetworkPolicy").spec.podSelector.matchLabels);
  });
});

describe("the job before uninstalling", () => {
  const hooks = plain.filter(({ metadata }) => metadata.annotations?.["helm.sh/hook"] === "pre-delete");
  const weight = ({ metadata }: Rendered) => Number(metadata.annotations?.["helm.sh/hook-weight"]);

  it("comes after its account and the account's rights, all of which go with it", () => {
    const order = hooks.toSorted((a, b) => weight(a) - weight(b)).map(({ kind }) => kind);
    expect(order.at(-1)).toBe("Job");
    expect(order.slice(3, 5).sort()).toEqual(["ClusterRoleBinding", "RoleBinding"]);
    for (const { metadata } of hooks) {
      expect(metadata.annotations?.["helm.sh/hook-delete-policy"]).toBe(
        "before-hook-creation,hook-succeeded",
      );
    }
  });

  it("is given up after its deadline", async () => {
    expect(one(plain, "Job").spec).toMatchObject({ activeDeadlineSeconds: 120, backoffLimit: 3 });
    const hasty = await render({ unregisterOnUninstall: { deadlineSeconds: 10 } });
    expect(one(hasty, "Job").spec.activeDeadlineSeconds).toBe(10);
  });

  it("is not there when it is switched off", async () => {
    const without = await render({ unregisterOnUninstall: { enabled: false } });
    expect(without.filter(({ metadata }) => metadata.name.endsWith("-unregister"))).toEqual([]);
    expect(hooks).toHaveLength(6);
  });
});

describe("TUF mirrors", () => {
  const mirrors = ["https://tuf.example.com", "https://tuf.example.net/repo"];
  const egressOf = (objects: readonly Rendered[]) =>
    one(objects, "NetworkPolicy").spec.egress as readonly unknown[];

  it("are none by default: no flag, no folder, no way out", () => {
    expect(argsOf(plain).join(" ")).not.toContain("tuf");
    expect(JSON.stringify(deployment)).not.toMatch(/tuf|NODE_EXTRA_CA_CERTS|mirror/);
    expect(egressOf(plain)).toHaveLength(1);
  });

  it("are told to the process, with a folder that can be written", async () => {
    const objects = await render({ trust: { tuf: { mirrors } } });
    expect(argsOf(objects)).toContain(`--tuf-mirror=${mirrors.join(",")}`);
    const { spec } = one(objects, "Deployment").spec.template;
    const volume = (spec.volumes as readonly { readonly name: string }[]).find(({ name }) => name === "tuf");
    expect(volume).toEqual({ name: "tuf", emptyDir: { sizeLimit: "256Mi" } });
    const folder = argsOf(objects)
      .find((arg) => arg.startsWith("--tuf-cache="))!
      .slice("--tuf-cache=".length);
    expect(JSON.stringify(spec.containers[0])).toContain(JSON.stringify({ name: "tuf", mountPath: folder }));
  });

  it("are reached by their ports and addresses, and by their names", async () => {
    const tuf = { mirrors, egressCIDRs: ["192.0.2.0/24"], egressPorts: [8443] };
    const [, ...egress] = egressOf(await render({ trust: { tuf } }));
    expect(egress).toEqual([
      { ports: [{ port: 8443, protocol: "TCP" }], to: [{ ipBlock: { cidr: "192.0.2.0/24" } }] },
      expect.objectContaining({
        ports: [
          { port: 53, protocol: "UDP" },
          { port: 53, protocol: "TCP" },
          { port: 5353, protocol: "UDP" },
          { port: 5353, protocol: "TCP" },
        ],
      }),
    ]);
    const anywhere = egressOf(await render({ trust: { tuf: { mirrors } } }));
    expect(anywhere[1]).toEqual({ ports: [{ port: 443, protocol: "TCP" }] });
  });

  it("may have an authority of their own, from a ConfigMap", async () => {
    const objects = await render({ trust: { tuf: { mirrors, caConfigMap: "mirror-ca" } } });
    const { spec } = one(objects, "Deployment").spec.template;
    expect(spec.volumes).toContainEqual({ name: "mirror-ca", configMap: { name: "mirror-ca" } });
    const text = JSON.stringify(spec.containers[0]);
    expect(text).toContain('{"name":"NODE_EXTRA_CA_CERTS","value":"/etc/skill-admission/mirror-ca/ca.crt"}');
    expect(text).toContain('"mountPath":"/etc/skill-admission/mirror-ca"');
  });
});

describe("client certificates", () => {
  const names = ["kube-apiserver-webhooks", "spiffe://cluster/api"];
  const mount = { name: "client-ca", mountPath: "/etc/skill-admission/client-ca", readOnly: true };
  const pem = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n";

  it("are not asked for by default, nor with null", async () => {
    for (const objects of [plain, await render({ webhook: { clientCA: null } })]) {
      expect(argsOf(objects).filter((arg) => arg.startsWith("--client"))).toEqual([]);
      expect(JSON.stringify(objects)).not.toContain("client-ca");
    }
  });

  it.each([
    ["a ConfigMap", { configMap: "clients" }, { configMap: { name: "clients" } }, "ca.crt"],
    [
      "a Secret and its key",
      { secret: "clients", key: "x.pem" },
      { secret: { secretName: "clients", defaultMode: 0o440 } },
      "x.pem",
    ],
    ["the values", { pem, key: "x.pem" }, { configMap: { name: "skill-admission-client-ca" } }, "ca.crt"],
  ])("are of the authorities in %s, and of certain names", async (_, clientCA, source, key) => {
    const objects = await render({ webhook: { clientCA: { ...clientCA, names } } });
    expect(argsOf(objects)).toEqual(
      expect.arrayContaining([
        `--client-ca-file=/etc/skill-admission/client-ca/${key}`,
        "--client-name=kube-apiserver-webhooks,spiffe://cluster/api",
      ]),
    );
    const { spec } = one(objects, "Deployment").spec.template;
    expect(spec.volumes).toContainEqual({ name: "client-ca", ...source });
    expect(spec.containers[0]).toMatchObject({ volumeMounts: expect.arrayContaining([mount]) as unknown });
    const made = objects.filter(({ kind }) => kind === "ConfigMap");
    expect(made.map((object) => (object as { readonly data?: unknown }).data)).toEqual(
      "pem" in clientCA ? [{ "ca.crt": pem }] : [],
    );
  });
});

describe("the NetworkPolicy", () => {
  it("lets reviews in from anywhere and connections out to the API server's ports, where no address is known", () => {
    expect(one(plain, "NetworkPolicy").spec).toMatchObject({
      policyTypes: ["Ingress", "Egress"],
      ingress: [
        { ports: [{ port: "https", protocol: "TCP" }] },
        { ports: [{ port: "metrics", protocol: "TCP" }], from: [{ namespaceSelector: {} }] },
      ],
      egress: [{ ports: [{ port: 443 }, { port: 6443 }, { port: 8443 }, { port: 16443 }] }],
    });
    expect(one(plain, "NetworkPolicy").spec.ingress[0].from).toBeUndefined();
  });

  it("is the same whatever the numbers of the ports, so that a roll-out cuts off neither old nor new replicas", async () => {
    const moved = await render({ webhook: { port: 10250 }, metrics: { port: 9191 } });
    expect(one(moved, "NetworkPolicy").spec.ingress).toEqual(one(plain, "NetworkPolicy").spec.ingress);
    const named = one(moved, "Deployment").spec.template.spec.containers[0].ports;
    expect(named).toMatchObject([
      { name: "https", containerPort: 10250 },
      { name: "metrics", containerPort: 9191 },
    ]);
  });

  it("keeps to the addresses of the API servers, when they are named", async () => {
    const networkPolicy = {
      apiServerCIDRs: ["10.0.0.2/32"],
      apiServerPorts: [6443],
      webhookFrom: [{ podSelector: { matchLabels: { app: "konnectivity-agent" } } }],
      metricsFrom: [],
    };
    const objects = await render({ networkPolicy });
    const block = { ipBlock: { cidr: "10.0.0.2/32" } };
    expect(one(objects, "NetworkPolicy").spec).toMatchObject({
      ingress: [{ from: [block, networkPolicy.webhookFrom[0]] }],
      egress: [{ ports: [{ port: 6443 }], to: [block] }],
    });
    // Without metricsFrom the metrics' port is not open at all.
    expect(one(objects, "NetworkPolicy").spec.ingress).toHaveLength(1);
  });

  it("opens DNS and more only when told, and is not there when switched off", async () => {
    const more = [{ to: [{ ipBlock: { cidr: "192.0.2.0/24" } }] }];
    const objects = await render({ networkPolicy: { dns: true, extraEgress: more } });
    const { egress } = one(objects, "NetworkPolicy").spec;
    expect(egress).toHaveLength(3);
    expect(egress[1]!.ports).toMatchObject([{ port: 53, protocol: "UDP" }, { port: 53 }, {}, {}]);
    const { to } = egress[1] as unknown as { readonly to: readonly unknown[] };
    expect(to).toEqual([
      { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } } },
      { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "openshift-dns" } } },
      { ipBlock: { cidr: "169.254.20.10/32" } },
    ]);
    expect(egress[2]).toEqual(more[0]);
    const off = await render({ networkPolicy: { enabled: false } });
    expect(off.filter(({ kind }) => kind === "NetworkPolicy")).toEqual([]);
  });
});

describe("certificates", () => {
  it("are made in process by default: an empty Secret that goes with the release, and no files", () => {
    const secret = one(plain, "Secret");
    expect([secret.metadata.name, secret.data]).toEqual(["skill-admission-certificates", undefined]);
    expect(argsOf(plain).filter((arg) => arg.startsWith("--tls"))).toEqual([]);
  });

  it("come from cert-manager by an authority of the chart's own, for the names that the API server uses", async () => {
    const objects = await render({ certificates: { source: "CertManager" } });
    expect(objects.filter(({ kind }) => kind === "Secret")).toEqual([]);
    expect(one(objects, "Certificate", "skill-admission-ca").spec).toMatchObject({
      isCA: true,
      secretName: "skill-admission-tls-ca",
    });
    expect(one(objects, "Issuer", "skill-admission").spec).toEqual({
      ca: { secretName: "skill-admission-tls-ca" },
    });
    const leaf = one(objects, "Certificate", "skill-admission").spec;
    expect(leaf).toMatchObject({
      secretName: "skill-admission-tls",
      issuerRef: { name: "skill-admission", kind: "Issuer" },
    });
    expect(leaf.dnsNames).toContain("skill-admission.skill-admission.svc");
    const { volumes } = one(objects, "Deployment").spec.template.spec;
    expect(volumes).toContainEqual({
      name: "tls",
      secret: { secretName: "skill-admission-tls", defaultMode: 0o440 },
    });
    expect(argsOf(objects)).toEqual(
      expect.arrayContaining([
        "--tls-cert-file=/etc/skill-admission/tls/tls.crt",
        "--tls-key-file=/etc/skill-admission/tls/tls.key",
        "--tls-ca-file=/etc/skill-admission/tls/ca.crt",
      ]),
    );
  });

  it("come from cert-manager by an issuer of yours", async () => {
    // A number to YAML, if it were not quoted.
    const issuerRef = { name: "123", kind: "ClusterIssuer" };
    const objects = await render({ certificates: { source: "CertManager", certManager: { issuerRef } } });
    expect(objects.filter(({ kind }) => kind === "Issuer")).toEqual([]);
    expect(one(objects, "Certificate").spec.issuerRef).toEqual({ group: "cert-manager.io", ...issuerRef });
  });

  it("are in the Secret that is named, also where its name looks like a number", async () => {
    const objects = await render({ certificates: { source: "CertManager", secretName: "123" } });
    expect(one(objects, "Certificate", "skill-admission").spec.secretName).toBe("123");
    expect(one(objects, "Deployment").spec.template.spec.volumes[1]!.secret.secretName).toBe("123");
  });

  it("come from a Secret that somebody else fills, also without an authority", async () => {
    const objects = await render({ certificates: { source: "Secret", secretName: "corporate", caKey: "" } });
    expect(objects.filter(({ apiVersion }) => apiVersion.startsWith("cert-manager"))).toEqual([]);
    expect(argsOf(objects).filter((arg) => arg.startsWith("--tls"))).toHaveLength(2);
    expect(one(objects, "Deployment").spec.template.spec.volumes[1]!.secret.secretName).toBe("corporate");
  });
});

describe("monitoring", () => {
  it("has the alerts of rules/alerts.yaml in its PrometheusRule, unchanged", async () => {
    const objects = await render({ metrics: { prometheusRule: { enabled: true } } });
    const file = join(projectRoot, "charts/skill-admission/rules/alerts.yaml");
    expect(one(objects, "PrometheusRule").spec).toEqual(parse(await readFile(file, "utf8")));
  });

  it("is not there unless it is asked for", () => {
    expect(plain.filter(({ apiVersion }) => apiVersion.startsWith("monitoring."))).toEqual([]);
  });
});

describe("priority", () => {
  it("is the system's, with the quota that some clusters ask for", () => {
    expect(one(plain, "ResourceQuota").spec.scopeSelector.matchExpressions).toEqual([
      { scopeName: "PriorityClass", operator: "In", values: ["system-cluster-critical"] },
    ]);
  });

  it("is of the class that is named, also where its name looks like a number", async () => {
    for (const { priorityClassName } of podSpecs(await render({ priorityClassName: "123" })))
      expect(priorityClassName).toBe("123");
  });

  it.each([
    { priorityClassName: "important" },
    { priorityClassName: "" },
    { criticalPodsQuota: { enabled: false } },
  ])("comes without a quota with %j", async (values) => {
    expect((await render(values)).filter(({ kind }) => kind === "ResourceQuota")).toEqual([]);
  });

  it("needs no quota in kube-system", async () => {
    expect((await render({}, "kube-system")).filter(({ kind }) => kind === "ResourceQuota")).toEqual([]);
  });
});

describe("the starter policy", () => {
  it("denies nothing, unless it is told to", async () => {
    const policyOf = async (starterPolicy: object) =>
      one(await render({ starterPolicy: { enabled: true, ...starterPolicy } }), "ClusterSkillPolicy");
    expect((await policyOf({})).spec.mode).toBe("Audit");
    const selector = { matchLabels: { tenant: "payments" } };
    expect((await policyOf({ mode: "Enforce", namespaceSelector: selector })).spec).toMatchObject({
      mode: "Enforce",
      namespaceSelector: selector,
    });
  });

  it("is not there by default", () => {
    expect(plain.filter(({ apiVersion }) => apiVersion.startsWith("skill-admission.dev"))).toEqual([]);
  });
});
