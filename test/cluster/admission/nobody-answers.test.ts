import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { patience } from "../../fixtures/patience.ts";
import { sha256 } from "../../../src/skill/digest.ts";
import { signedSkill, type SignedSkill } from "../../fixtures/signed-skill.ts";
import { api, find, patch, pathOf, put, remove, type Part } from "../harness/api.ts";
import { apply } from "../harness/apply.ts";
import { kubectl } from "../harness/cluster.ts";
import { startProduct, type Product } from "./product.ts";
import {
  createNamespace,
  enforce,
  mutable,
  pemOf,
  policy,
  revocationList,
  ship,
  templateOf,
} from "./world.ts";

const namespace = "unanswered";
const dying = "unanswered-dying";
const closingLabel = "example.com/runtime";
const core = `/api/v1/namespaces/${namespace}`;
const apps = `/apis/apps/v1/namespaces/${namespace}`;
const leader = "control-plane.alpha.kubernetes.io/leader";
const held = (by: string): string => JSON.stringify({ holderIdentity: by, leaseDurationSeconds: 15 });

let product: Product;
let good: SignedSkill;
let idle: readonly string[];

interface Meta {
  readonly metadata: Part & { readonly name: string; readonly annotations?: Part };
}

const configMap = (name: string, more: Part = {}, metadata: Part = {}): Part & Meta => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  ...more,
  metadata: { name, namespace, ...metadata },
});

const plain = (name: string, spec: Part = {}): Part & Meta => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace },
  spec: { containers: [{ name: "c", image: "example.invalid/c" }], ...spec },
});

/** As client-go's and fabric8's locks are renewed: the whole object, as it was read, with other annotations. */
async function renew(path: string, annotations: Part): Promise<void> {
  const present = await api<Part & Meta>(path);
  const metadata = { ...present.metadata, annotations: { ...present.metadata.annotations, ...annotations } };
  await api(path, { method: "PUT", body: { ...present, metadata } });
}

const annotate = (path: string, annotations: Part) => patch(path, { metadata: { annotations } });
const label = (path: string, labels: Part) => patch(path, { metadata: { labels } });
const finalizers = (path: string, list: readonly string[] | null) =>
  patch(path, { metadata: { finalizers: list } });

async function makeLocks(): Promise<void> {
  await put(configMap("client-go", {}, { annotations: { [leader]: held("a") } }));
  await put(configMap("patroni-leader", {}, { annotations: { leader: "db-0", ttl: "30" } }));
  const flink = { annotations: { [leader]: held("jm-0") }, labels: { type: "flink-native-kubernetes" } };
  await put(
    configMap("flink-cluster-config-map", { data: { "org.apache.flink.k8s.leader.restserver": "x" } }, flink),
  );
  for (const name of ["client-go", "patroni"]) {
    const metadata = { name, namespace, annotations: { [leader]: held("a"), leader: "db-0" } };
    await api(`${core}/endpoints`, {
      method: "POST",
      body: { apiVersion: "v1", kind: "Endpoints", metadata },
    });
  }
}

function deployment(name: string, replicas: number): Part & Meta {
  const labels = { app: name };
  const template = templateOf(plain(name), labels);
  const spec = { replicas, selector: { matchLabels: labels }, template };
  return { apiVersion: "apps/v1", kind: "Deployment", metadata: { name, namespace }, spec };
}

async function makePods(): Promise<void> {
  await apply(...ship(good.skill, namespace, "revoked").all);
  const env = [{ name: "PLACE", valueFrom: { fieldRef: { fieldPath: "metadata.labels['place']" } } }];
  const reading = { containers: [{ name: "c", image: "example.invalid/c", env }] };
  await apply(
    plain("plain"),
    plain("evicted"),
    plain("deleted"),
    plain("reads", reading),
    plain("ended", reading),
  );
  await patch(`${core}/pods/ended/status`, { metadata: { name: "ended" }, status: { phase: "Succeeded" } });
  await finalizers(`${core}/pods/deleted`, ["example.com/hold"]);
  await apply(deployment("idle", 2), deployment("kept", 0));
  const job = {
    backoffLimit: 0,
    template: { spec: { ...(plain("j")["spec"] as Part), restartPolicy: "Never" } },
  };
  await apply({ apiVersion: "batch/v1", kind: "Job", metadata: { name: "batch", namespace }, spec: job });
  await vi.waitFor(async () => {
    const list = await kubectl(["-n", namespace, "get", "pods", "-l", "app=idle", "-o", "name"]);
    idle = list.split("\n").filter(Boolean);
    expect(idle).toHaveLength(2);
  }, patience);
}

beforeAll(async () => {
  good = signedSkill();
  product = await startProduct();
  for (const one of [namespace, dying]) await createNamespace(one, namespace);
  const closed = {
    podSelector: { matchExpressions: [{ key: closingLabel, operator: "Exists" }] },
    data: ["/data"],
  };
  await enforce(
    policy(namespace, { publishers: [{ name: "team", publicKey: { pem: pemOf(good) } }], closed }),
  );
  await makeLocks();
  await makePods();
  const finalized = { finalizers: ["example.com/a", "example.com/b"] };
  await put(configMap("files", { data: { a: "1" } }));
  await put(configMap("finalized", { data: { a: "1" } }, finalized));
  await put(configMap("frozen", { data: { a: "1" }, immutable: true }, finalized));
  await put({
    ...configMap("held", { data: { a: "1" } }, finalized),
    metadata: { name: "held", namespace: dying, ...finalized },
  });
  await apply(mutable(good.skill, "skill", namespace).configMap);
  await put({ apiVersion: "v1", kind: "Node", metadata: { name: "unanswered-node" } });
  const { bytes } = good.skill.files.get("SKILL.md")!;
  await enforce(revocationList("unanswered", { files: [{ digest: sha256(bytes), reason: "a test" }] }));
  await product.kill();
});

afterAll(async () => {
  await remove("/api/v1/nodes/unanswered-node");
  await product.remove();
});

describe("while no replica answers, what brings no bytes in goes through", () => {
  const endpoints = (name: string): string => `${core}/endpoints/${name}`;
  const configMaps = (name: string): string => `${core}/configmaps/${name}`;
  const pods = (name: string): string => `${core}/pods/${name}`;
  const lease = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;

  it.each<readonly [string, () => Promise<unknown>]>([
    [
      "a Lease of client-go is made and renewed",
      async () => {
        const spec = { holderIdentity: "a", leaseDurationSeconds: 15 };
        const metadata = { name: "client-go", namespace };
        await api(lease, {
          method: "POST",
          body: { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata, spec },
        });
        await patch(`${lease}/client-go`, { spec: { holderIdentity: "b" } });
      },
    ],
    [
      "a ConfigMap lock of client-go is renewed",
      () => renew(configMaps("client-go"), { [leader]: held("b") }),
    ],
    [
      "an Endpoints lock of client-go is renewed",
      () => renew(endpoints("client-go"), { [leader]: held("b") }),
    ],
    [
      "an Endpoints lock is made",
      () => {
        const metadata = { name: "new", namespace, annotations: { [leader]: held("a") } };
        return api(`${core}/endpoints`, {
          method: "POST",
          body: { apiVersion: "v1", kind: "Endpoints", metadata },
        });
      },
    ],
    [
      "Patroni's ConfigMap is renewed",
      () =>
        annotate(configMaps("patroni-leader"), {
          leader: "db-1",
          renewTime: "now",
          transitions: "1",
          optime: "1",
        }),
    ],
    [
      "Patroni's Endpoints are renewed, and show another leader",
      () =>
        patch(endpoints("patroni"), {
          metadata: { annotations: { leader: "db-1", renewTime: "now" } },
          subsets: [{ addresses: [{ ip: "192.0.2.1" }], ports: [{ port: 5432 }] }],
        }),
    ],
    [
      "Flink's ConfigMap is renewed",
      () => renew(configMaps("flink-cluster-config-map"), { [leader]: held("jm-0 again") }),
    ],
  ])("leader locks: %s", async (_, work) => {
    await work();
  });

  it.each<readonly [string, () => Promise<unknown>]>([
    ["of a ConfigMap, added", () => finalizers(configMaps("files"), ["example.com/hold"])],
    ["of a ConfigMap, removed", () => finalizers(configMaps("files"), null)],
    ["of an immutable ConfigMap, one of two", () => finalizers(configMaps("frozen"), ["example.com/a"])],
    ["of a pod, added", () => finalizers(pods("plain"), ["example.com/hold"])],
    ["of a pod, removed", () => finalizers(pods("plain"), null)],
    ["of a Deployment, added", () => finalizers(`${apps}/deployments/idle`, ["example.com/hold"])],
    ["of a Deployment, removed", () => finalizers(`${apps}/deployments/idle`, null)],
    [
      "of a ConfigMap that is being deleted, all of them",
      async () => {
        await remove(configMaps("finalized"));
        await finalizers(configMaps("finalized"), ["example.com/b"]);
        await finalizers(configMaps("finalized"), null);
        expect(await find(configMaps("finalized"))).toBeUndefined();
      },
    ],
  ])("finalizers: %s", async (_, work) => {
    await work();
  });

  it.each<readonly [string, string]>([
    ["pod", pods("plain")],
    ["ConfigMap", configMaps("files")],
    ["ConfigMap of a skill", configMaps("skill")],
    ["immutable ConfigMap", configMaps("frozen")],
    ["Deployment", `${apps}/deployments/idle`],
    ["Job", `/apis/batch/v1/namespaces/${namespace}/jobs/batch`],
    ["ended pod that read its labels", pods("ended")],
  ])("labels and annotations: of a %s, added and removed", async (_, path) => {
    for (const value of ["a", null]) {
      await label(path, { place: value });
      await annotate(path, { note: value });
    }
  });

  it("a pod whose skill was revoked is labelled for quarantine", async () => {
    await label(pods("revoked"), { quarantine: "true" });
  });

  it("a kubelet shows its static pods", async () => {
    const node = await api<{ readonly metadata: { readonly uid: string } }>("/api/v1/nodes/unanswered-node");
    const { uid } = node.metadata;
    const mirror = plain("static", { nodeName: "unanswered-node", automountServiceAccountToken: false });
    const ownerReferences = [
      { apiVersion: "v1", kind: "Node", name: "unanswered-node", uid, controller: true },
    ];
    const annotations = { "kubernetes.io/config.mirror": "x", "kubernetes.io/config.hash": "x" };
    const body = JSON.stringify({
      ...mirror,
      metadata: { ...mirror.metadata, annotations, ownerReferences },
    });
    const kubelet = ["--as=system:node:unanswered-node", "--as-group=system:nodes"];
    // NodeRestriction learns of the node by watch.
    await vi.waitFor(() => kubectl(["create", "-f", "-", ...kubelet], body), patience);
  });

  it.each<readonly [string, () => Promise<unknown>]>([
    [
      "a pod's",
      () => patch(`${pods("plain")}/status`, { metadata: { name: "plain" }, status: { phase: "Running" } }),
    ],
    ["a Deployment's", () => patch(`${apps}/deployments/idle/status`, { status: { observedGeneration: 1 } })],
    [
      "a Job's",
      () => patch(`/apis/batch/v1/namespaces/${namespace}/jobs/batch/status`, { status: { active: 1 } }),
    ],
  ])("status is written: %s", async (_, work) => {
    await work();
  });

  it("a Deployment is scaled by kubectl, by the scale subresource, and paused", async () => {
    await kubectl(["-n", namespace, "scale", "deployment", "idle", "--replicas=1"]);
    await patch(`${apps}/deployments/idle/scale`, { spec: { replicas: 2 } });
    await kubectl(["-n", namespace, "rollout", "pause", "deployment/idle"]);
    await kubectl(["-n", namespace, "rollout", "resume", "deployment/idle"]);
  });

  it("pods are evicted and deleted, by name and all of a kind, and so is what makes them", async () => {
    const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: "evicted", namespace } };
    await api(`${pods("evicted")}/eviction`, { method: "POST", body: eviction });
    expect(await find(pods("evicted"))).toBeUndefined();
    await remove(`${pods("deleted")}?gracePeriodSeconds=0`);
    await finalizers(pods("deleted"), null);
    expect(await find(pods("deleted"))).toBeUndefined();
    await remove(`${core}/pods?labelSelector=app%3Didle&gracePeriodSeconds=0`);
    await remove(`${apps}/deployments/idle`);
    await remove(configMaps("files"));
  });

  it("a namespace is deleted, with a ConfigMap that waits for its finalizer", async () => {
    await remove(`/api/v1/namespaces/${dying}`);
    await finalizers(`/api/v1/namespaces/${dying}/configmaps/held`, null);
    await expect.poll(() => find(`/api/v1/namespaces/${dying}`)).toBeUndefined();
  });
});

describe("while no replica answers, what brings bytes in is refused", () => {
  const image = { spec: { containers: [{ name: "c", image: "example.invalid/other" }] } };
  const strategic = "application/strategic-merge-patch+json";
  const web = deployment("web", 1);
  it.each<readonly [string, () => Promise<unknown>]>([
    ["a pod", () => put(plain("new"))],
    ["a Deployment", () => put(web)],
    [
      "another template of a Deployment, as kubectl rollout restart makes",
      () =>
        patch(`${apps}/deployments/kept`, {
          spec: { template: { metadata: { annotations: { restarted: "now" } } } },
        }),
    ],
    ["a ConfigMap, also one of no data", () => put(configMap("new"))],
    ["another file of a ConfigMap", () => patch(`${core}/configmaps/skill`, { data: { more: "x" } })],
    [
      "another binary file of a ConfigMap",
      () => patch(`${core}/configmaps/skill`, { binaryData: { more: "eA==" } }),
    ],
    ["a ConfigMap that becomes immutable", () => patch(`${core}/configmaps/skill`, { immutable: true })],
    [
      "the address that a new leader of Flink writes into data",
      () =>
        patch(`${core}/configmaps/flink-cluster-config-map`, {
          data: { "org.apache.flink.k8s.leader.restserver": "y" },
        }),
    ],
    ["an immutable ConfigMap that goes", () => remove(`${core}/configmaps/frozen`)],
    [
      "another image of a running pod",
      () => api(`${core}/pods/plain`, { method: "PATCH", contentType: strategic, body: image }),
    ],
    [
      "a container for debugging",
      () =>
        api(`${core}/pods/plain/ephemeralcontainers`, {
          method: "PATCH",
          contentType: strategic,
          body: { spec: { ephemeralContainers: [{ name: "d", image: "example.invalid/d" }] } },
        }),
    ],
    ["a label that a running pod reads", () => label(`${core}/pods/reads`, { place: "a" })],
    ["a label by which a policy closes pods", () => label(`${core}/pods/plain`, { [closingLabel]: "agent" })],
    [
      "a Job",
      () =>
        put({
          apiVersion: "batch/v1",
          kind: "Job",
          metadata: { name: "suspended", namespace },
          spec: {
            suspend: true,
            template: { spec: { ...(plain("j")["spec"] as Part), restartPolicy: "Never" } },
          },
        }),
    ],
  ])("%s", async (_, work) => {
    await expect(work()).rejects.toThrow("failed calling webhook");
  });

  it("nothing of it is there, and all of it goes on once a replica answers", async () => {
    for (const object of [plain("new"), web, configMap("new")])
      expect(await find(pathOf(object))).toBeUndefined();
    await product.restart();
    await vi.waitFor(() => put(plain("new")), patience);
    await put(web);
    await patch(`${core}/configmaps/skill`, { data: { more: "x" } });
    await label(`${core}/pods/reads`, { place: "a" });
  });
});
