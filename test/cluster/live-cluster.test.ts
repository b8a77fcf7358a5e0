import { generateKeyPairSync } from "node:crypto";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createApiClient, type ApiClient } from "../../src/cluster/live/api/client.ts";
import { connectByKubeconfig } from "../../src/cluster/live/api/connection.ts";
import { soleLeader } from "../../src/cluster/live/leader/leadership.ts";
import { openLiveCluster, type LiveCluster } from "../../src/cluster/live/live-cluster.ts";
import { reflectorDefaults } from "../../src/cluster/live/watch/reflector.ts";
import { everything } from "../../src/kubernetes/selection.ts";
import { textOf } from "../../src/policy/coverage.ts";
import { createStatusWriter } from "../../src/cluster/live/status/writer.ts";
import { projectRoot } from "./harness/binaries.ts";
import { api, ownPath, patch, remove } from "./harness/api.ts";
import { apply, tryApply } from "./harness/apply.ts";
import { killApiServer, kubectl, startApiServer, tryKubectlApply } from "./harness/cluster.ts";
import { group, ownKinds, ownResources } from "../../src/policy/resource/kinds.ts";
import { createNamespace } from "./harness/namespaces.ts";
import { kubeconfig } from "./harness/opened.ts";
import { clusterSkillPolicy, skillTrustRoot } from "../fixtures/resources.ts";
import { patience } from "../fixtures/patience.ts";

const namespace = "whole";
const pem = generateKeyPairSync("ec", {
  namedCurve: "P-256",
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
}).publicKey;

const policy = (name: string, spec: object = {}) =>
  clusterSkillPolicy(name, {
    publishers: [{ name: "team", publicKey: { trustRootRef: { name: "root" } } }],
    ...spec,
  });
const trustRoot = skillTrustRoot("root", { keys: [{ name: "k", pem }] });
const pod = (name: string, configMap: string) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace, labels: { app: "a" } },
  spec: {
    containers: [
      { name: "c", image: "example.invalid/i", volumeMounts: [{ name: "v", mountPath: "/skills/x" }] },
    ],
    volumes: [{ name: "v", configMap: { name: configMap } }],
  },
});
const podPath = (name: string): string => `/api/v1/namespaces/${namespace}/pods/${name}`;
const ref = (name: string) => ({ kind: "ConfigMap", namespace, name }) as const;
const soon = () => AbortSignal.timeout(15_000);

let client: ApiClient;
let cluster: LiveCluster;
const problems: string[] = [];
const states = new Map<string, boolean>();

const open = () => {
  const hooks = {
    onProblem: (message: string) => void problems.push(message),
    onWatchState: (resource: string, healthy: boolean) => void states.set(resource, healthy),
  };
  const status = createStatusWriter(client, hooks, soleLeader());
  // As the webhook would be registered for the only policy.
  const governed = { enforced: new Set([textOf(everything)]), observed: new Set<string>() };
  status.setRegistration({ governed, scope: everything, failurePolicy: "Fail" });
  return openLiveCluster({
    client,
    hooks,
    status,
    timeoutSeconds: 5,
    times: { ...reflectorDefaults, minBackoff: 50, maxBackoff: 500 },
  });
};

interface Judged {
  readonly metadata: { readonly resourceVersion: string };
  readonly status: {
    readonly observedGeneration: number;
    readonly publishers?: number;
    readonly conditions: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason: string;
      readonly message: string;
    }[];
  };
}

const first = ownPath("clusterskillpolicies", "first");
const root = ownPath("skilltrustroots", "root");
const status = async (path: string) => (await api<Judged>(path)).status;

beforeAll(async () => {
  client = createApiClient(await connectByKubeconfig(kubeconfig));
  await kubectl([
    "delete",
    "crd",
    ...ownKinds.map((kind) => `${ownResources[kind].plural}.${group}`),
    "--ignore-not-found",
  ]);
  await createNamespace(namespace, { tenant: "whole" });
  cluster = open();
});

afterAll(async () => {
  await cluster.close();
});

describe("openLiveCluster", () => {
  it("is not ready without the CustomResourceDefinitions, says so in words, and answers nothing", async () => {
    await vi.waitFor(
      () => expect(cluster.readiness().join()).toContain("install the CustomResourceDefinitions"),
      patience,
    );
    expect(() => cluster.current()).toThrow(/not known yet/);
    await expect(cluster.synced(AbortSignal.timeout(100))).rejects.toThrow();
  });

  it("becomes ready by itself when they are installed", async () => {
    await kubectl(["apply", "-f", join(projectRoot, "manifests/crds")]);
    await cluster.synced(soon());
    expect(cluster.readiness()).toEqual([]);
    expect(cluster.current().policies).toEqual([]);
  });

  it("follows policies and trust roots, and keeps the snapshot while nothing changes", async () => {
    await apply(trustRoot, policy("first"));
    await vi.waitFor(
      () => expect(cluster.current().policies.map(({ name }) => name)).toEqual(["first"]),
      patience,
    );
    await vi.waitFor(() => expect(cluster.current().policies[0]?.invalidReason).toBeUndefined(), patience);
    expect(cluster.current().trust.keys).toHaveLength(1);
    const types = async () => (await status(first)).conditions.map(({ type }) => type);
    await vi.waitFor(async () => expect(await types()).toContain("Registered"), patience);
    const before = cluster.current();
    await apply(pod("unrelated", "c"));
    expect(cluster.current()).toBe(before);
  });

  it("reads a pod as it is stored at that moment, and waits a while for changes on their way", async () => {
    await apply(pod("stored", "c"));
    const path = podPath("stored");
    for (const round of ["1", "2", "3"]) {
      await patch(path, { metadata: { labels: { round } } });
      expect((await cluster.storedPod?.(namespace, "stored", soon()))?.metadata).toMatchObject({
        labels: { round },
      });
    }
    await remove(path);
    await vi.waitFor(
      async () => expect(await cluster.storedPod?.(namespace, "stored", soon())).toBeUndefined(),
      40_000,
    );
    const started = performance.now();
    await cluster.settling?.(soon());
    expect(performance.now() - started).toBeGreaterThan(850);
    await expect(cluster.settling?.(AbortSignal.abort())).rejects.toMatchObject({ code: "TIMEOUT" });
  });

  it("writes Ready with generation and counts", async () => {
    await vi.waitFor(async () => {
      const { conditions, ...others } = await status(first);
      expect(others).toMatchObject({ observedGeneration: 1, publishers: 1 });
      const held = conditions.filter(({ status: word }) => word === "True").map(({ type }) => type);
      expect(held).toEqual(expect.arrayContaining(["Ready", "Registered"]));
    }, patience);
    await vi.waitFor(
      async () => expect(await status(root)).toMatchObject({ certificates: 0, keys: 1 }),
      patience,
    );
  });

  it("keeps a policy in force whose trust root is deleted, denying, and says so in its status", async () => {
    await remove(root);
    await vi.waitFor(
      () => expect(cluster.current().policies[0]?.invalidReason).toContain("SkillTrustRoot root"),
      patience,
    );
    await vi.waitFor(async () => {
      const { conditions } = await status(first);
      expect(conditions[0]).toMatchObject({ status: "False", reason: "TrustRootMissing" });
    }, patience);
    await apply(trustRoot);
    await vi.waitFor(() => expect(cluster.current().policies[0]?.invalidReason).toBeUndefined(), patience);
  });

  it("does not write a status twice", async () => {
    const version = async () => (await api<Judged>(first)).metadata.resourceVersion;
    await vi.waitFor(async () => expect((await status(first)).conditions[0]?.status).toBe("True"), patience);
    const before = await version();
    await apply(policy("second"));
    await vi.waitFor(
      async () =>
        expect((await status(ownPath("clusterskillpolicies", "second"))).conditions[0]?.status).toBe("True"),
      patience,
    );
    expect(await version()).toBe(before);
  });

  it("finds the pods that use an object, and forgets those that are gone", async () => {
    await apply(pod("user", "used"));
    await vi.waitFor(
      () => expect(cluster.podsUsing(ref("used")).map(({ name }) => name)).toEqual(["user"]),
      patience,
    );
    expect(cluster.podsUsing({ ...ref("used"), namespace: "default" })).toEqual([]);
    expect(cluster.podsUsing({ ...ref("used"), kind: "Secret" })).toEqual([]);
    await remove(podPath("user"));
    await vi.waitFor(() => expect(cluster.podsUsing(ref("used"))).toEqual([]), patience);
  });

  it("keeps a pod that has ended until it is deleted", async () => {
    await apply(pod("ending", "ends"));
    await vi.waitFor(() => expect(cluster.podsUsing(ref("ends"))).toHaveLength(1), patience);
    await patch(`${podPath("ending")}/status`, { status: { phase: "Succeeded" } });
    await apply(pod("later", "later"));
    await vi.waitFor(() => expect(cluster.podsUsing(ref("later"))).toHaveLength(1), patience);
    expect(cluster.podsUsing(ref("ends"))).toHaveLength(1);
    await remove(podPath("ending"));
    await vi.waitFor(() => expect(cluster.podsUsing(ref("ends"))).toEqual([]), patience);
  });

  it("knows a namespace's labels, also of one that was created just now", async () => {
    expect(await cluster.namespaceLabels(namespace, soon())).toMatchObject({ tenant: "whole" });
    await kubectl(["create", "namespace", "brand-new"]);
    expect(await cluster.namespaceLabels("brand-new", soon())).toMatchObject({
      "kubernetes.io/metadata.name": "brand-new",
    });
  });

  it("throws for a namespace that is not there, and while the API server is down", async () => {
    await expect(cluster.namespaceLabels("nowhere", soon())).rejects.toMatchObject({
      code: "SOURCE_UNAVAILABLE",
    });
    const before = cluster.current();
    await killApiServer();
    try {
      await expect(cluster.namespaceLabels("nowhere", soon())).rejects.toMatchObject({
        code: "SOURCE_UNAVAILABLE",
      });
      await vi.waitFor(() => expect(states.get("clusterskillpolicies")).toBe(false), patience);
      expect(cluster.current()).toBe(before);
      expect(cluster.readiness()).toEqual([]);
    } finally {
      await startApiServer();
    }
    await apply(policy("third"));
    await vi.waitFor(() => expect(cluster.current().policies).toHaveLength(3), patience);
    expect([...states]).toEqual(expect.arrayContaining([["clusterskillpolicies", true]]));
  });
});

describe("the CustomResourceDefinitions", () => {
  const wrong: readonly [string, object, RegExp][] = [
    ["no publishers", { publishers: [] }, /publishers/],
    [
      "a publisher that is two things",
      { publishers: [{ name: "p", publicKey: { pem }, certificate: { pem } }] },
      /exactly one/i,
    ],
    ["a publisher that is nothing", { publishers: [{ name: "p" }] }, /exactly one/i],
    ["an unknown mode", { mode: "Maybe" }, /mode/],
    ["a skill root that is not absolute", { skillRoots: ["skills"] }, /skillRoots/],
  ];

  it.each(wrong)("refuse %s", async (_, spec, message) => {
    const { code, stderr } = await tryApply([policy("wrong", spec)]);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
  });

  it("refuse an unknown field by name", async () => {
    const { code, stderr } = await tryKubectlApply([policy("wrong", { publishrs: [] })]);
    expect(code).toBe(1);
    expect(stderr).toContain('unknown field "spec.publishrs"');
  });

  it("refuse a trust root that holds nothing, in the rule's own words", async () => {
    const { code, stderr } = await tryApply([skillTrustRoot("wrong", {})]);
    expect(code).toBe(1);
    expect(stderr).toContain("give at least one of certificates, keys and sigstore");
  });

  it("explain themselves", async () => {
    expect(await kubectl(["explain", "clusterskillpolicy.spec.publishers"])).toContain("DESCRIPTION");
  });
});
