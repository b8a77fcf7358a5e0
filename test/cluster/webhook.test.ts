import { createServer } from "node:https";
import { isIP, type AddressInfo } from "node:net";
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { webcrypto } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createApiClient, type ApiClient } from "../../src/cluster/live/api/client.ts";
import { connectByKubeconfig } from "../../src/cluster/live/api/connection.ts";
import { soleLeader } from "../../src/cluster/live/leader/leadership.ts";
import { reflectorDefaults } from "../../src/cluster/live/watch/reflector.ts";
import {
  registerWebhook,
  type WebhookRegistration,
} from "../../src/cluster/live/registration/register-webhook.ts";
import type { WebhookOptions } from "../../src/cluster/live/registration/webhook-configuration.ts";
import { api, patch, pathOf, remove, type Part } from "./harness/api.ts";
import { apply, tryApply } from "./harness/apply.ts";
import { kubectl, tryKubectl } from "./harness/cluster.ts";
import { createNamespace, takesPods } from "./harness/namespaces.ts";
import { host, kubeconfig } from "./harness/opened.ts";
import { patience } from "../fixtures/patience.ts";
import { everywhere, nowhere } from "../fixtures/governed.ts";

interface Review {
  readonly request: {
    readonly uid: string;
    readonly namespace: string;
    readonly name: string;
    readonly operation: string;
    readonly subResource?: string;
    readonly resource: { readonly resource: string };
  };
}

/** Allows everything, and remembers what it was asked. */
async function startRecorder() {
  x509.cryptoProvider.set(webcrypto);
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: "CN=recorder",
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.SubjectAlternativeNameExtension([
        { type: isIP(host.name) === 0 ? "dns" : "ip", value: host.name },
      ]),
    ],
  });
  const der = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey)).toString("base64");
  const cert = certificate.toString("pem");
  const asked: string[] = [];
  const server = createServer(
    { cert, key: `-----BEGIN PRIVATE KEY-----\n${der}\n-----END PRIVATE KEY-----\n` },
    (incoming, outgoing) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.on("end", () => {
        const { request } = JSON.parse(Buffer.concat(chunks).toString()) as Review;
        const resource = [request.resource.resource, request.subResource].filter(Boolean).join("/");
        asked.push(`${request.operation} ${resource} ${request.namespace}/${request.name}`);
        outgoing.setHeader("content-type", "application/json");
        outgoing.end(
          JSON.stringify({
            apiVersion: "admission.k8s.io/v1",
            kind: "AdmissionReview",
            response: { uid: request.uid, allowed: true },
          }),
        );
      });
    },
  );
  await new Promise<void>((resolve) => server.listen(0, host.listen, resolve));
  return { server, asked, cert, url: `https://${host.name}:${(server.address() as AddressInfo).port}` };
}

const name = "skill-admission";
const namespace = "hooked";
const closingLabel = "example.com/runtime";
const configMap = (configMapName: string, more: object, inNamespace = namespace) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  ...more,
  metadata: { name: configMapName, namespace: inNamespace, ...(more as { metadata?: object }).metadata },
});
const pod = (podName: string) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: podName, namespace },
  spec: { containers: [{ name: "c", image: "example.invalid/i" }] },
});

let client: ApiClient;
let recorder: Awaited<ReturnType<typeof startRecorder>>;
let registration: WebhookRegistration;
/** What a replica that does not lead sees of it. */
let follower: WebhookRegistration;
const problems: string[] = [];
let repairs = 0;

interface Registered {
  readonly metadata: { readonly resourceVersion: string };
  readonly webhooks: readonly { readonly name: string }[];
}

const registrationPath = `/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/${name}`;
const present = () => api<Registered>(registrationPath);
const configMapPath = (configMapName: string): string =>
  `/api/v1/namespaces/${namespace}/configmaps/${configMapName}`;
const annotate = (path: string, annotations: Readonly<Record<string, string | null>>) =>
  patch(path, { metadata: { annotations } });

beforeAll(async () => {
  for (const one of [namespace, "controller"]) await createNamespace(one);
  // The controllers of a cluster that has just started come to them some time after it.
  for (const one of ["default", "kube-public"]) await takesPods(one);
  client = createApiClient(await connectByKubeconfig(kubeconfig));
  recorder = await startRecorder();
  const options: WebhookOptions = {
    address: { url: recorder.url },
    caBundle: recorder.cert,
    governed: everywhere,
    bindings: nowhere,
    controllerNamespace: "controller",
    closingLabels: [closingLabel],
  };
  const deps = {
    client,
    hooks: { onProblem: (message: string) => problems.push(message), onRepair: () => (repairs += 1) },
    leadership: soleLeader(),
    options: () => Promise.resolve(options),
    times: { ...reflectorDefaults, minBackoff: 50, maxBackoff: 200 },
    // Longer than a repair takes on a busy machine: it may be two writes, and the watch shows the first as a change.
    writeInterval: 400,
  };
  registration = registerWebhook(deps);
  follower = registerWebhook({ ...deps, leadership: { ...soleLeader(), leadingSignal: () => undefined } });
  await vi.waitFor(() => expect(registration.readiness()).toEqual([]), patience);
  // API servers learn of a registration by watch.
  await vi.waitFor(async () => {
    await apply(configMap("first", { data: { t: `${Date.now()}` } }));
    expect(recorder.asked.length).toBeGreaterThan(0);
  }, patience);
});

afterAll(async () => {
  await Promise.all([registration.close(), follower.close()]);
  await remove(registrationPath);
  client.close();
  recorder.server.close();
  recorder.server.closeAllConnections();
});

/**
 * Each kind of question that the API server asked about one object while `work` ran. Everybody's objects come to
 * the recorder, controllers' too; and a write is asked about again where a controller wrote meanwhile.
 */
async function askedBy(
  objectName: string,
  work: () => Promise<unknown>,
  within = namespace,
): Promise<string[]> {
  recorder.asked.length = 0;
  await work();
  return [...new Set(recorder.asked.filter((line) => line.endsWith(` ${within}/${objectName}`)))];
}

describe("registerWebhook", () => {
  it("is accepted by the API server, with its conditions", async () => {
    const { webhooks } = await present();
    expect(webhooks.map((webhook) => webhook.name)).toEqual([
      "pods.skill-admission.dev",
      "controllers.skill-admission.dev",
      "configmaps.skill-admission.dev",
      "deletions.skill-admission.dev",
    ]);
    expect([problems, repairs]).toEqual([[], 0]);
    await vi.waitFor(() => expect(follower.readiness()).toEqual([]), patience);
  });

  it("is asked about pods, their ephemeral containers, and what makes pods", async () => {
    expect(await askedBy("one", () => apply(pod("one")))).toEqual([`CREATE pods ${namespace}/one`]);
    const debug = { spec: { ephemeralContainers: [{ name: "d", image: "example.invalid/i" }] } };
    expect(
      await askedBy("one", () =>
        kubectl([
          "-n",
          namespace,
          "patch",
          "pod",
          "one",
          "--subresource=ephemeralcontainers",
          "-p",
          JSON.stringify(debug),
        ]),
      ),
    ).toEqual([`UPDATE pods/ephemeralcontainers ${namespace}/one`]);
    const asked = await askedBy("d", () =>
      kubectl(["-n", namespace, "create", "deployment", "d", "--image=example.invalid/i"]),
    );
    expect(asked[0]).toBe(`CREATE deployments ${namespace}/d`);
    await vi.waitFor(() => {
      const kinds = recorder.asked.map((line) => line.split(" ").slice(0, 2).join(" "));
      expect(kinds).toContain("CREATE replicasets");
      expect(kinds).toContain("CREATE pods");
    }, patience);
  });

  it("is asked about ConfigMaps, written and changed", async () => {
    expect(await askedBy("c", () => apply(configMap("c", { data: { k: "1" } })))).toEqual([
      `CREATE configmaps ${namespace}/c`,
    ]);
    expect(await askedBy("c", () => apply(configMap("c", { data: { k: "2" } })))).toEqual([
      `UPDATE configmaps ${namespace}/c`,
    ]);
  });

  const changing =
    (podName: string) =>
    (...change: readonly string[]) =>
      askedBy(podName, () => kubectl(["-n", namespace, ...change]));

  it("is not asked about updates of a pod that bring nothing in: metadata that it does not read, and where and how long it runs", async () => {
    const about = changing("one");
    const merge = (change: object) =>
      about("patch", "pod", "one", "--type=merge", "-p", JSON.stringify(change));
    expect(await merge({ metadata: { finalizers: ["example.com/hold"] } })).toEqual([]);
    expect(await merge({ metadata: { finalizers: null } })).toEqual([]);
    expect(await about("label", "pod", "one", "team=a")).toEqual([]);
    expect(await about("label", "pod", "one", "team-", "quarantine=true")).toEqual([]);
    expect(await about("annotate", "pod", "one", "note=a")).toEqual([]);
    expect(await about("annotate", "pod", "one", "note-")).toEqual([]);
    expect(await merge({ spec: { activeDeadlineSeconds: 100_000 } })).toEqual([]);
    const updated = [`UPDATE pods ${namespace}/one`];
    expect(await about("set", "image", "pod/one", "c=example.invalid/other")).toEqual(updated);
  });

  it("is asked about labels by which policies close pods, and about no others", async () => {
    const about = changing("one");
    const updated = [`UPDATE pods ${namespace}/one`];
    expect(await about("label", "pod", "one", `${closingLabel}=agent`)).toEqual(updated);
    expect(await about("label", "pod", "one", "--overwrite", `${closingLabel}=other`)).toEqual(updated);
    expect(await about("label", "pod", "one", "team=b")).toEqual([]);
    expect(await about("label", "pod", "one", `${closingLabel}-`)).toEqual(updated);
  });

  const fromLabel = { fieldRef: { fieldPath: "metadata.labels['place']" } };
  const fromAnnotation = { path: "place", fieldRef: { fieldPath: "metadata.annotations['place']" } };
  const withVolume = (volume: object) => ({ volumes: [{ name: "v", ...volume }] });
  it.each([
    ["variable", { containers: [{ name: "c", image: "i", env: [{ name: "P", valueFrom: fromLabel }] }] }],
    [
      "init-variable",
      { initContainers: [{ name: "d", image: "i", env: [{ name: "P", valueFrom: fromLabel }] }] },
    ],
    ["downward", withVolume({ downwardAPI: { items: [fromAnnotation] } })],
    [
      "all-labels",
      withVolume({ downwardAPI: { items: [{ path: "all", fieldRef: { fieldPath: "metadata.labels" } }] } }),
    ],
    ["projected", withVolume({ projected: { sources: [{ downwardAPI: { items: [fromAnnotation] } }] } })],
  ])(
    "is asked about labels and annotations of a pod that reads some, until it ends: %s",
    async (podName, spec) => {
      const { metadata, ...rest } = pod(`reads-${podName}`);
      await apply({ ...rest, metadata, spec: { ...rest.spec, ...spec } });
      const about = changing(metadata.name);
      const updated = [`UPDATE pods ${namespace}/${metadata.name}`];
      expect(await about("label", "pod", metadata.name, "place=a")).toEqual(updated);
      expect(await about("annotate", "pod", metadata.name, "place=a")).toEqual(updated);
      const status = { metadata: { name: metadata.name }, status: { phase: "Succeeded" } };
      await about(
        "patch",
        "pod",
        metadata.name,
        "--subresource=status",
        "--type=merge",
        "-p",
        JSON.stringify(status),
      );
      expect(await about("label", "pod", metadata.name, "place-")).toEqual([]);
      expect(await about("annotate", "pod", metadata.name, "place-")).toEqual([]);
    },
  );

  it("is asked about a pod with as many variables as the API server takes, without an error", async () => {
    const { metadata, ...rest } = pod("largest");
    const env = Array.from({ length: 20_000 }, (_, index) => ({ name: `V${index}` }));
    const spec = { containers: [{ name: "c", image: "i", env }] };
    await api(`/api/v1/namespaces/${namespace}/pods`, { method: "POST", body: { ...rest, metadata, spec } });
    const label = await tryKubectl(["-n", namespace, "label", "pod", "largest", "team=a"]);
    expect(label).toMatchObject({ code: 0, stderr: "" });
    await remove(`/api/v1/namespaces/${namespace}/pods/largest`);
  });

  it("is not asked about what a kubelet shows of a static pod, but about whoever else claims to show one", async () => {
    const node = await api<{ readonly metadata: { readonly uid: string } }>("/api/v1/nodes", {
      method: "POST",
      body: { apiVersion: "v1", kind: "Node", metadata: { name: "n1" } },
    });
    const owner = { apiVersion: "v1", kind: "Node", name: "n1", uid: node.metadata.uid, controller: true };
    const mirror = (podName: string) => ({
      apiVersion: "v1",
      kind: "Pod",
      metadata: {
        name: podName,
        namespace,
        annotations: { "kubernetes.io/config.mirror": "x", "kubernetes.io/config.hash": "x" },
        ownerReferences: [owner],
      },
      spec: { nodeName: "n1", automountServiceAccountToken: false, containers: [{ name: "c", image: "i" }] },
    });
    const create = (podName: string, ...as: readonly string[]) =>
      askedBy(podName, () => kubectl(["create", "-f", "-", ...as], JSON.stringify(mirror(podName))));
    const kubelet = ["--as=system:node:n1", "--as-group=system:nodes"];
    // NodeRestriction learns of the node by watch.
    await vi.waitFor(() => create("static", "--dry-run=server", ...kubelet), patience);
    expect(await create("static", ...kubelet)).toEqual([]);
    expect(await create("false-static")).toEqual([`CREATE pods ${namespace}/false-static`]);
    for (const podName of ["static", "false-static"])
      await remove(`/api/v1/namespaces/${namespace}/pods/${podName}?gracePeriodSeconds=0`);
    await remove("/api/v1/nodes/n1");
  });

  it("is not asked about scaling, nor about anything else beside the template of pods", async () => {
    const template = { metadata: { labels: { app: "a" } }, spec: pod("any").spec };
    const job = { spec: { template: { spec: { ...pod("any").spec, restartPolicy: "Never" } } } };
    const claim = {
      metadata: { name: "data" },
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Mi" } } },
    };
    const selector = { matchLabels: { app: "a" } };
    const made = (kind: string, apiVersion: string, rest: object) => ({
      apiVersion,
      kind,
      metadata: { name: "still", namespace },
      ...rest,
    });
    const carriers = [
      made("Deployment", "apps/v1", { spec: { replicas: 0, selector, template } }),
      made("ReplicaSet", "apps/v1", { spec: { replicas: 0, selector, template } }),
      made("DaemonSet", "apps/v1", { spec: { selector, template } }),
      made("StatefulSet", "apps/v1", {
        spec: { replicas: 0, serviceName: "s", selector, template, volumeClaimTemplates: [claim] },
      }),
      made("Job", "batch/v1", { spec: { ...job.spec, suspend: true } }),
      made("CronJob", "batch/v1", { spec: { schedule: "0 0 1 1 *", suspend: true, jobTemplate: job } }),
      made("ReplicationController", "v1", {
        spec: {
          replicas: 0,
          selector: { app: "b" },
          template: { ...template, metadata: { labels: { app: "b" } } },
        },
      }),
      made("PodTemplate", "v1", { template }),
    ];
    const about = async (kind: string, change: Part): Promise<readonly string[]> => {
      const carrier = carriers.find((one) => one.kind === kind)!;
      const asked = await askedBy("still", () => patch(pathOf(carrier), change));
      return asked.filter((line) => line.startsWith("UPDATE "));
    };
    for (const carrier of carriers) {
      const { kind } = carrier;
      expect(await askedBy("still", () => apply(carrier)), kind).toContain(
        `CREATE ${kind.toLowerCase()}s ${namespace}/still`,
      );
      expect(
        await about(kind, { metadata: { labels: { team: "a" }, annotations: { note: "a" } } }),
        kind,
      ).toEqual([]);
    }
    for (const kind of ["Deployment", "ReplicaSet", "StatefulSet", "ReplicationController"])
      expect(await about(kind, { spec: { replicas: 1 } }), kind).toEqual([]);
    expect(await about("CronJob", { spec: { suspend: false } })).toEqual([]);
    const changed = { metadata: { annotations: { note: "b" } } };
    for (const kind of ["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "ReplicationController"])
      expect(await about(kind, { spec: { template: changed } }), kind).toHaveLength(1);
    expect(await about("CronJob", { spec: { jobTemplate: { spec: { template: changed } } } })).toHaveLength(
      1,
    );
    expect(await about("PodTemplate", { template: changed })).toHaveLength(1);
    await Promise.all(carriers.map((carrier) => remove(`${pathOf(carrier)}?propagationPolicy=Background`)));
  });

  it("is not asked about deletions", async () => {
    expect(await askedBy("c", () => remove(configMapPath("c")))).toEqual([]);
    expect(await askedBy("one", () => remove(`/api/v1/namespaces/${namespace}/pods/one`))).toEqual([]);
  });

  const renewal = (lockName: string, annotations: Readonly<Record<string, string>>) =>
    askedBy(lockName, () => annotate(configMapPath(lockName), annotations));
  it.each([
    ["client-go", { annotations: { "control-plane.alpha.kubernetes.io/leader": "{}" } }, {}],
    ["patroni", { annotations: { leader: "db-0", ttl: "30" } }, {}],
    [
      "flink",
      { annotations: { "control-plane.alpha.kubernetes.io/leader": "{}" } },
      { data: { address: "a" } },
    ],
  ])(
    "is not asked about the renewals of a leader lock, but about the lock: %s",
    async (lockName, metadata, more) => {
      const lock = configMap(lockName, { metadata, ...more });
      expect(await askedBy(lockName, () => apply(lock))).toEqual([
        `CREATE configmaps ${namespace}/${lockName}`,
      ]);
      for (const round of ["1", "2"]) expect(await renewal(lockName, { renewed: round })).toEqual([]);
      expect(await askedBy(lockName, () => apply({ ...lock, data: { "SKILL.md": "x" } }))).toHaveLength(1);
      expect(await askedBy(lockName, () => apply({ ...lock, data: { "SKILL.md": "y" } }))).toHaveLength(1);
      expect(await renewal(lockName, { renewed: "3" })).toEqual([]);
      expect(await askedBy(lockName, () => apply({ ...lock, data: null }))).toHaveLength(1);
      expect(
        await askedBy(lockName, () => apply({ ...lock, data: null, binaryData: { k: "eA==" } })),
      ).toHaveLength(1);
    },
  );

  it("is not asked about finalizers of ConfigMaps, but about the last one of an immutable one that goes", async () => {
    const finalizers = (configMapName: string, left: readonly string[]) =>
      askedBy(configMapName, () => patch(configMapPath(configMapName), { metadata: { finalizers: left } }));
    const both = ["example.com/a", "example.com/b"];
    for (const immutable of [false, true]) {
      const configMapName = `finalized-${immutable}`;
      await apply(configMap(configMapName, { metadata: { finalizers: both }, data: { k: "v" }, immutable }));
      await remove(configMapPath(configMapName));
      expect(await finalizers(configMapName, ["example.com/a"])).toEqual([]);
      expect(await finalizers(configMapName, [])).toHaveLength(immutable ? 1 : 0);
    }
    await apply(configMap("frozen", { data: { k: "v" } }));
    expect(await askedBy("frozen", () => patch(configMapPath("frozen"), { immutable: true }))).toHaveLength(
      1,
    );
  });

  it("is not asked about the metadata of the largest ConfigMaps", async () => {
    const many = Object.fromEntries(Array.from({ length: 40_000 }, (_, index) => [`k${index}`, "v"]));
    for (const [configMapName, data] of [
      ["many", many],
      ["long", { k: "v".repeat(1_000_000) }],
    ] as const) {
      const body = configMap(configMapName, { data });
      await api(`/api/v1/namespaces/${namespace}/configmaps`, { method: "POST", body });
      expect(await renewal(configMapName, { note: "a" }), configMapName).toEqual([]);
      expect(
        await askedBy(configMapName, () => patch(configMapPath(configMapName), { data: { k: "w" } })),
      ).toHaveLength(1);
      await remove(configMapPath(configMapName));
    }
  });

  it("is asked about kube-root-ca.crt unless its publisher writes it", async () => {
    const write = (user: readonly string[], value: string) =>
      kubectl([
        ...["-n", namespace, "patch", "configmap", "kube-root-ca.crt", "--type=merge"],
        ...["-p", JSON.stringify({ data: { t: value } }), ...user],
      ]);
    expect(await askedBy("kube-root-ca.crt", () => write([], "tenant"))).toContain(
      `UPDATE configmaps ${namespace}/kube-root-ca.crt`,
    );
    const publisher = [
      "--as=system:serviceaccount:kube-system:root-ca-cert-publisher",
      "--as-group=system:masters",
    ];
    expect(await askedBy("kube-root-ca.crt", () => write(publisher, "publisher"))).toEqual([]);
    // The publisher has no pass for other names.
    expect(
      await askedBy("other", () =>
        kubectl(["-n", namespace, "create", "configmap", "other", "--from-literal=a=b", ...publisher]),
      ),
    ).toHaveLength(1);
  });

  it.each(["controller", "kube-system"])("is not asked about the namespace %s", async (exempt) => {
    const write = () => apply(configMap("exempt", { data: { k: "v" } }, exempt));
    expect(await askedBy("exempt", write, exempt)).toEqual([]);
  });

  it("restores what somebody takes away, changes, adds or deletes, and says what it was and whose doing", async () => {
    const before = await present();
    const restored = () =>
      vi.waitFor(async () => expect((await present()).webhooks).toEqual(before.webhooks), patience);
    const change = (operations: object[]) =>
      api(`${registrationPath}?fieldManager=somebody`, {
        method: "PATCH",
        contentType: "application/json-patch+json",
        body: operations,
      });
    await change([{ op: "remove", path: "/webhooks/0" }]);
    await restored();
    await change([{ op: "replace", path: "/webhooks/0/failurePolicy", value: "Ignore" }]);
    await restored();
    await change([{ op: "add", path: "/webhooks/0/objectSelector/matchLabels", value: { skip: "no" } }]);
    await restored();
    await change([
      { op: "add", path: "/webhooks/0/matchConditions", value: [{ name: "never", expression: "false" }] },
    ]);
    await restored();
    await remove(registrationPath);
    await restored();
    // A repair may be two writes; on a busy machine the first one is seen as one more change.
    const told = problems.map((problem) => problem.split("put back: ")[1]?.slice(0, 200)).join("\n");
    for (const said of [
      /^webhooks\[pods\.skill-admission\.dev\]: expected \{.*, found nothing/m,
      /webhooks\[pods\.skill-admission\.dev\]\.failurePolicy: expected "Fail", found "Ignore" \(by "somebody"\)/m,
      /webhooks\[pods\.skill-admission\.dev\]\.objectSelector\.matchLabels: expected nothing, found \{"skip":"no"\}/m,
      /webhooks\[pods\.skill-admission\.dev\]\.matchConditions/m,
      /it was deleted/,
    ])
      expect(told).toMatch(said);
    await expect.poll(() => repairs).toBeGreaterThanOrEqual(5);
    await vi.waitFor(
      () => expect([registration, follower].map((one) => one.readiness())).toEqual([[], []]),
      patience,
    );
  });

  it("refresh brings in new options, and writes nothing when all is well", async () => {
    const version = async () => (await present()).metadata.resourceVersion;
    const before = await version();
    await registration.refresh();
    expect(await version()).toBe(before);
  });

  it("fails closed: with the webhook gone, a pod is refused", async () => {
    recorder.server.close();
    recorder.server.closeAllConnections();
    const { code, stderr } = await tryApply([pod("refused")]);
    expect(code).toBe(1);
    expect(stderr).toContain('failed calling webhook "pods.skill-admission.dev"');
  });
});
