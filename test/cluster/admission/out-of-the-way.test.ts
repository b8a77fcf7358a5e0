import { beforeAll, describe, expect, it } from "vitest";
import { signedSkill, withFiles } from "../../fixtures/signed-skill.ts";
import type { Skill } from "../../../src/skill/skill.ts";
import { apply } from "../harness/apply.ts";
import { kubectl, tryKubectl } from "../harness/cluster.ts";
import { takesPods } from "../harness/namespaces.ts";
import { sharedProduct, type SharedProduct } from "./product.ts";
import { createNamespace, denial, enforce, policy, ship, templateOf, tryApply, type Part } from "./world.ts";

const namespace = "in-use";
const free = "in-use-free";

let product: SharedProduct;
let broken: Skill;

let markers = 0;
/** Names of what was asked about in the namespace so far: a line comes a moment after its answer, before that of a later object. */
async function askedSoFar(): Promise<readonly (string | undefined)[]> {
  const marker = `marker-${(markers += 1)}`;
  await kubectl(["-n", namespace, "create", "configmap", marker]);
  await product.decision("ConfigMap", marker);
  const lines = (await product.log()).filter((line) => line.namespace === namespace);
  return lines.map(({ name }) => name);
}

/** Names of what the product was asked about while this ran. */
async function askedAbout(work: () => Promise<unknown>): Promise<readonly (string | undefined)[]> {
  const before = (await askedSoFar()).length;
  await work();
  return (await askedSoFar()).slice(before, -1);
}

const inNamespace = (...args: readonly string[]) => tryKubectl(["-n", namespace, ...args]);

/** Everything is there, with a changed skill, before any policy is. Then one comes that denies all of it. */
beforeAll(async () => {
  const { skill, trust } = signedSkill();
  broken = withFiles(skill, { "SKILL.md": "---\nname: data-designer\ndescription: changed\n---\n" });
  const pem = trust.keys[0]!.key.export({ type: "spki", format: "pem" });
  product = await sharedProduct();
  for (const one of [namespace, free]) await createNamespace(one, one);
  for (const name of ["pod-one", "pod-two", "finalized"]) {
    const shipped = ship(broken, namespace, name);
    const finalizers = name === "finalized" ? { finalizers: ["example.invalid/hold"] } : {};
    const metadata = { ...(shipped.pod["metadata"] as Part), ...finalizers };
    await apply(...shipped.configMaps, { ...shipped.pod, metadata });
  }
  const { configMaps, pod } = ship(broken, namespace, "web");
  const labels = { app: "web" };
  const selector = { matchLabels: labels };
  const template = templateOf(pod, labels);
  await apply(
    ...configMaps,
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "web", namespace },
      spec: { replicas: 2, selector, template },
    },
    {
      apiVersion: "apps/v1",
      kind: "StatefulSet",
      metadata: { name: "db", namespace },
      spec: {
        replicas: 1,
        serviceName: "none",
        selector: { matchLabels: { app: "db" } },
        template: templateOf(pod, { app: "db" }),
      },
    },
  );
  await kubectl(["-n", namespace, "wait", "--for=create", "pod", "-l", "app=web", "--timeout=60s"]);
  await enforce(
    policy(namespace, { publishers: [{ name: "team", publicKey: { pem } }], controllers: "Enforce" }),
  );
});

describe("with every skill in the namespace broken, and the policy enforced on controllers too", () => {
  it("new pods and changed controllers are denied: the policy is in force", async () => {
    expect(denial(await tryApply(ship(broken, namespace, "new").all))).toContain("DIGEST_MISMATCH SKILL.md");
    const ran = await inNamespace("set", "image", "deployment/web", "agent=example.invalid/other");
    expect(denial(ran)).toContain(`denied Deployment ${namespace}/web`);
  });

  it("a Deployment is scaled, by its spec and by the scale subresource, up and down", async () => {
    expect(await inNamespace("scale", "deployment", "web", "--replicas=1")).toMatchObject({
      code: 0,
      stderr: "",
    });
    const spec = { spec: { replicas: 3 } };
    expect(await inNamespace("patch", "deployment", "web", "-p", JSON.stringify(spec))).toMatchObject({
      code: 0,
    });
    // As a HorizontalPodAutoscaler does.
    expect(
      await inNamespace(
        "patch",
        "deployment",
        "web",
        "--subresource=scale",
        "--type=merge",
        "-p",
        JSON.stringify(spec),
      ),
    ).toMatchObject({ code: 0 });
    expect(await inNamespace("scale", "statefulset", "db", "--replicas=0")).toMatchObject({
      code: 0,
      stderr: "",
    });
    expect(await inNamespace("scale", "deployment", "web", "--replicas=0")).toMatchObject({
      code: 0,
      stderr: "",
    });
    await expect
      .poll(async () => (await inNamespace("get", "pods", "-l", "app=web", "-o", "name")).stdout)
      .toBe("");
  });

  it("labels and annotations of pods and controllers change", async () => {
    const asked = await askedAbout(async () => {
      for (const [what, name] of [
        ["pod", "pod-one"],
        ["deployment", "web"],
      ] as const) {
        expect(await inNamespace("label", what, name, "team=a")).toMatchObject({ code: 0, stderr: "" });
        expect(await inNamespace("annotate", what, name, "note=b")).toMatchObject({ code: 0, stderr: "" });
      }
    });
    expect(asked).not.toContain("pod-one");
    expect(asked).not.toContain("web");
  });

  it("labels of a pod change whose lists are empty, which the API server may write as null", async () => {
    const { pod } = ship(broken, namespace, "bare");
    const volumes = [
      { name: "none", projected: { sources: null } },
      {
        name: "nothing",
        projected: { sources: [{ downwardAPI: { items: null } }, { configMap: { name: "c" } }] },
      },
      { name: "fields", downwardAPI: { items: null } },
    ];
    const containers = [
      { name: "a", image: "example.invalid/a", env: null, envFrom: null, volumeMounts: null },
    ];
    const spec = { containers, initContainers: null, ephemeralContainers: null, volumes };
    await kubectl(["create", "-f", "-"], JSON.stringify({ ...pod, spec }));
    const asked = await askedAbout(async () => {
      for (const what of ["label", "annotate"])
        expect(await inNamespace(what, "pod", "bare", "quarantine=yes")).toMatchObject({
          code: 0,
          stderr: "",
        });
    });
    expect(asked).not.toContain("bare");
  });

  it("where and how long pods run changes, also in templates", async () => {
    const patience = { spec: { template: { spec: { terminationGracePeriodSeconds: 7 } } } };
    expect(await inNamespace("patch", "deployment", "web", "-p", JSON.stringify(patience))).toMatchObject({
      code: 0,
      stderr: "",
    });
    await product.decision("Deployment", "web", { bypass: "unchanged" });
  });

  it("status is written", async () => {
    const status = JSON.stringify({ status: { phase: "Running" } });
    expect(await inNamespace("patch", "pod", "pod-one", "--subresource=status", "-p", status)).toMatchObject({
      code: 0,
    });
    const replicas = JSON.stringify({ status: { replicas: 0 } });
    expect(
      await inNamespace("patch", "deployment", "web", "--subresource=status", "--type=merge", "-p", replicas),
    ).toMatchObject({ code: 0 });
  });

  it("finalizers are removed, also while the pod is being deleted", async () => {
    await inNamespace("delete", "pod", "finalized", "--wait=false");
    const removed = await inNamespace(
      "patch",
      "pod",
      "finalized",
      "--type=merge",
      "-p",
      '{"metadata":{"finalizers":null}}',
    );
    expect(removed).toMatchObject({ code: 0 });
    await kubectl(["-n", namespace, "wait", "--for=delete", "pod/finalized", "--timeout=60s"]);
  });

  it("pods, controllers and ConfigMaps are deleted", async () => {
    for (const what of ["pod/pod-two", "deployment/web", "statefulset/db"]) {
      expect(await inNamespace("delete", what, "--timeout=60s")).toMatchObject({ code: 0 });
    }
    const { name } = ship(broken, namespace, "pod-two").configMaps[0]!.metadata;
    expect(await inNamespace("delete", "configmap", name)).toMatchObject({ code: 0 });
  });

  it("a ConfigMap's metadata changes while a pod mounts it", async () => {
    const { name } = ship(broken, namespace, "pod-one").configMaps[0]!.metadata;
    const annotate = () => inNamespace("annotate", "configmap", name, "note=c");
    const asked = await askedAbout(async () =>
      expect(await annotate()).toMatchObject({ code: 0, stderr: "" }),
    );
    expect(asked).not.toContain(name);
  });

  it("leader locks are renewed and the cluster's CA is written, and nobody is asked", async () => {
    const annotations = { "control-plane.alpha.kubernetes.io/leader": "{}" };
    const lock = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "lock", namespace, annotations } };
    expect(await askedAbout(() => kubectl(["create", "-f", "-"], JSON.stringify(lock)))).toContain("lock");
    const asked = await askedAbout(async () => {
      for (const round of [1, 2, 3])
        await kubectl(["-n", namespace, "annotate", "--overwrite", "configmap", "lock", `renewed=${round}`]);
      // Its publisher puts it back.
      await kubectl(["-n", namespace, "delete", "configmap", "kube-root-ca.crt"]);
      await takesPods(namespace);
    });
    expect(asked).not.toContain("lock");
    expect(asked).not.toContain("kube-root-ca.crt");
  });

  it("a pod without skills comes up", async () => {
    const { pod } = ship(broken, namespace, "plain");
    const plain = { ...pod, spec: { containers: [{ name: "a", image: "example.invalid/a" }] } };
    expect(await tryApply([plain])).toMatchObject({ code: 0, stderr: "" });
    await product.decision("Pod", "plain", { bypass: "no-skills" });
  });

  it("namespaces without a policy, and kube-system, are left alone: nobody asks about them", async () => {
    expect(await tryApply(ship(broken, free, "free").all)).toMatchObject({ code: 0, stderr: "" });
    expect(await tryApply(ship(broken, "kube-system", "system").all)).toMatchObject({ code: 0, stderr: "" });
    // More claims than a review reads.
    const labels = { app: "claims" };
    const template = templateOf(ship(broken, free, "claims").pod, labels);
    const claim = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } };
    const volumeClaimTemplates = Array.from({ length: 501 }, (_, at) => ({
      metadata: { name: `c${at}` },
      spec: claim,
    }));
    await kubectl(
      ["create", "-f", "-"],
      JSON.stringify({
        apiVersion: "apps/v1",
        kind: "StatefulSet",
        metadata: { name: "claims", namespace: free },
        spec: {
          replicas: 0,
          serviceName: "none",
          selector: { matchLabels: labels },
          template,
          volumeClaimTemplates,
        },
      }),
    );
    await kubectl(["-n", namespace, "create", "configmap", "later"]);
    await product.decision("ConfigMap", "later");
    const elsewhere = ["kube-system", free];
    expect((await product.log()).filter((line) => elsewhere.includes(line.namespace ?? ""))).toEqual([]);
    await kubectl(["-n", "kube-system", "delete", "pod", "system", "--force", "--grace-period=0"]);
  });
});
