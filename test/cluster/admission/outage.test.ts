import { X509Certificate } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { signedSkill, withFiles, type SignedSkill } from "../../fixtures/signed-skill.ts";
import type { Skill } from "../../../src/skill/skill.ts";
import { api, find, ownPath, patch, remove } from "../harness/api.ts";
import { apply } from "../harness/apply.ts";
import { kubectl, restartApiServer, tryKubectl } from "../harness/cluster.ts";
import { registrationPath as registration, startProduct, type Product } from "./product.ts";
import { createNamespace, denial, enforce, policy, ship, tryApply } from "./world.ts";
import { patience } from "../../fixtures/patience.ts";

const namespace = "outage";

let product: Product;
let good: SignedSkill;
let broken: Skill;
let pods = 0;

interface Registration {
  readonly webhooks: readonly {
    readonly name: string;
    readonly failurePolicy: string;
    readonly clientConfig: { readonly url: string; readonly caBundle: string };
  }[];
}

const registered = (): Promise<Registration> => api<Registration>(registration);

const authority = async (): Promise<string> =>
  Buffer.from((await registered()).webhooks[0]!.clientConfig.caBundle, "base64").toString();

const tryPod = (skill: Skill, space = namespace) => tryApply(ship(skill, space, `outage-${(pods += 1)}`).all);

beforeAll(async () => {
  good = signedSkill();
  broken = withFiles(good.skill, { "extra.py": "x" });
  const pem = good.trust.keys[0]!.key.export({ type: "spki", format: "pem" });
  product = await startProduct();
  await createNamespace(namespace, namespace);
  await enforce(policy(namespace, { publishers: [{ name: "team", publicKey: { pem } }] }));
});

afterAll(() => product.remove());

/** The API server takes up a changed registration within moments. */
const soonDenied = () =>
  vi.waitFor(async () => expect(denial(await tryPod(broken))).toContain("FILE_UNSIGNED extra.py"), patience);

describe("the registration", () => {
  it("is made by the process itself, with an authority of its own", async () => {
    const { webhooks } = await registered();
    expect(webhooks.map(({ clientConfig }) => clientConfig.url)).toEqual(
      webhooks.map(() => `${product.url}/validate`),
    );
    expect(webhooks.map(({ failurePolicy }) => failurePolicy)).toEqual(webhooks.map(() => "Fail"));
    const certificate = new X509Certificate(await authority());
    expect(certificate.ca).toBe(true);
    expect(await tryPod(good.skill)).toMatchObject({ code: 0, stderr: "" });
    await soonDenied();
  });

  it("is restored when somebody deletes it", async () => {
    await remove(registration);
    await soonDenied();
  });

  it("is restored when somebody weakens it", async () => {
    for (const operations of [
      [{ op: "replace", path: "/webhooks/0/failurePolicy", value: "Ignore" }],
      [{ op: "remove", path: "/webhooks/0" }],
      [{ op: "replace", path: "/webhooks/0/clientConfig/url", value: "https://127.0.0.1:1/validate" }],
    ]) {
      await api(registration, {
        method: "PATCH",
        contentType: "application/json-patch+json",
        body: operations,
      });
      await vi.waitFor(async () => {
        const [first] = (await registered()).webhooks;
        expect(first).toMatchObject({
          name: "pods.skill-admission.dev",
          failurePolicy: "Fail",
          clientConfig: { url: `${product.url}/validate` },
        });
      }, patience);
    }
    await soonDenied();
  });
});

describe("when the API server goes away and comes back", () => {
  it("the webhook is asked again, and learns of new policies", async () => {
    await restartApiServer();
    await soonDenied();
    expect(await tryPod(good.skill)).toMatchObject({ code: 0, stderr: "" });
    await patch(ownPath("clusterskillpolicies", namespace), { spec: { mode: "Audit" } });
    await expect.poll(async () => (await tryPod(broken)).code).toBe(0);
    await patch(ownPath("clusterskillpolicies", namespace), { spec: { mode: "Enforce" } });
    await soonDenied();
  });
});

describe("while the webhook is down", () => {
  let before: string;
  const idlePods = async (): Promise<readonly string[]> =>
    (await kubectl(["-n", namespace, "get", "pods", "-l", "app=idle", "-o", "name"]))
      .split("\n")
      .filter(Boolean);

  beforeAll(async () => {
    await tryApply(ship(good.skill, namespace, "running").all);
    await kubectl([
      "-n",
      namespace,
      "create",
      "deployment",
      "idle",
      "--image=example.invalid/i",
      "--replicas=2",
    ]);
    // The controller manager may still be getting over the API server's absence.
    await vi.waitFor(async () => expect(await idlePods()).toHaveLength(2), 90_000);
    for (const name of ["loose", "frozen"])
      await apply({
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name, namespace },
        immutable: name === "frozen",
      });
    before = await authority();
    await product.kill();
  });

  it("pods are refused, signed or not: nothing gets by unseen", async () => {
    for (const skill of [good.skill, broken]) {
      const { code, stderr } = await tryApply([ship(skill, namespace, `down-${skill.files.size}`).pod]);
      expect(code).toBe(1);
      expect(stderr).toContain('failed calling webhook "pods.skill-admission.dev"');
    }
  });

  it("so are changes of ConfigMaps", async () => {
    const { stderr } = await tryKubectl(["-n", namespace, "create", "configmap", "down"]);
    expect(stderr).toContain('failed calling webhook "configmaps.skill-admission.dev"');
  });

  it("so are deletions of immutable ConfigMaps, and of no others", async () => {
    const deleting = (name: string) => tryKubectl(["-n", namespace, "delete", "configmap", name]);
    expect((await deleting("frozen")).stderr).toContain(
      'failed calling webhook "deletions.skill-admission.dev"',
    );
    expect(await deleting("loose")).toMatchObject({ code: 0 });
  });

  it("kube-system goes on, and so do deletions and the status of pods", async () => {
    expect(await tryPod(broken, "kube-system")).toMatchObject({ code: 0, stderr: "" });
    const status = JSON.stringify({ status: { phase: "Running" } });
    expect(
      await tryKubectl(["-n", namespace, "patch", "pod", "running", "--subresource=status", "-p", status]),
    ).toMatchObject({ code: 0 });
    expect(
      await tryKubectl(["-n", namespace, "delete", "pod", "running", "--force", "--grace-period=0"]),
    ).toMatchObject({ code: 0 });
    await kubectl(["-n", "kube-system", "delete", "pods", "--all", "--force", "--grace-period=0"]);
  });

  it("a Deployment is scaled down, and finalizers are taken from pods", async () => {
    const [first = ""] = await idlePods();
    const finalizers = (list: readonly string[] | null): string =>
      JSON.stringify({ metadata: { finalizers: list } });
    for (const list of [["example.com/hold"], null]) {
      expect(
        await tryKubectl(["-n", namespace, "patch", first, "--type=merge", "-p", finalizers(list)]),
      ).toMatchObject({ code: 0 });
    }
    expect(await tryKubectl(["-n", namespace, "scale", "deployment", "idle", "--replicas=0"])).toMatchObject({
      code: 0,
    });
    await expect.poll(idlePods).toEqual([]);
  });

  it("restarted, it registers with its new authority, and all is as before", async () => {
    await product.restart();
    expect(await authority()).not.toBe(before);
    expect(await tryPod(good.skill)).toMatchObject({ code: 0, stderr: "" });
    await soonDenied();
  });
});

describe("a process that is told to stop", () => {
  it("answers to the end, and leaves its registration to whoever comes or removes it", async () => {
    product.stop();
    await expect.poll(async () => (await product.log()).some(({ msg }) => msg === "stopping")).toBe(true);
    // Still there for what the API server sends meanwhile.
    expect(await tryPod(good.skill)).toMatchObject({ code: 0, stderr: "" });
    await remove(registration);
    await sleep(2_500);
    expect(await find(registration)).toBeUndefined();
    await product.restart();
    await soonDenied();
  });
});
