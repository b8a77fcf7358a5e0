import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { signedSkill, withFiles, type SignedSkill } from "../../fixtures/signed-skill.ts";
import { documented, makeAccount, type Account } from "../harness/account.ts";
import { api, find, remove } from "../harness/api.ts";
import { tryKubectl } from "../harness/cluster.ts";
import { installCrds } from "../harness/crds.ts";
import { registrationPath, startProduct, type Product } from "./product.ts";
import {
  createNamespace,
  denial,
  enforce,
  policy,
  ship,
  templateOf,
  tryApply,
  warnings,
  type Part,
} from "./world.ts";

const namespace = "least-privilege";

let product: Product;
let account: Account;
let good: SignedSkill;

beforeAll(async () => {
  await installCrds();
  await createNamespace(namespace, namespace);
  account = await makeAccount("default", [await documented("docs/cluster.md", "ClusterRole")]);
  product = await startProduct({ kubeconfig: account.kubeconfig });
  good = signedSkill();
  const pem = good.trust.keys[0]!.key.export({ type: "spki", format: "pem" });
  // Ready is written by the product, with the rights of the role.
  await enforce(policy(namespace, { publishers: [{ name: "team", publicKey: { pem } }] }));
});

afterAll(async () => {
  await product.remove();
  await account.remove();
});

interface EventList {
  readonly items: readonly { readonly reason: string; readonly involvedObject: { readonly kind: string } }[];
}

describe("with the rights of docs/cluster.md and no others", () => {
  it("it registers, reads, decides and writes status", async () => {
    expect(await tryApply(ship(good.skill, namespace, "good").all)).toMatchObject({ code: 0, stderr: "" });
    const broken = withFiles(good.skill, { "extra.py": "x" });
    expect(denial(await tryApply(ship(broken, namespace, "bad").all))).toContain("FILE_UNSIGNED extra.py");
  });

  it("it tells of a denial where a developer looks: on the Deployment, as Kubernetes does on its ReplicaSet", async () => {
    const broken = withFiles(good.skill, { "extra.py": "x" });
    const shipped = ship(broken, namespace, "told");
    const labels = { app: "told" };
    const deployment = {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "told", namespace },
      spec: {
        progressDeadlineSeconds: 1,
        selector: { matchLabels: labels },
        template: templateOf(shipped.pod, labels),
      },
    };
    const applied = await tryApply([...(shipped.configMaps as unknown as readonly Part[]), deployment]);
    const here = (...args: readonly string[]) => tryKubectl(["-n", namespace, ...args]);
    const cause =
      'policy "least-privilege" denied Pod least-privilege/told-.*: 1 of 1 skill failed: .* FILE_UNSIGNED';
    const printed = async (...args: readonly string[]): Promise<string> => (await here(...args)).stdout;
    const failure = '{.status.conditions[?(@.type=="ReplicaFailure")].message}';
    // Whoever applies it is told first, as long as the policy only warns about what makes pods.
    expect(warnings(applied)).toContain(
      `policy "least-privilege" will deny the pods of Deployment ${namespace}/told`,
    );
    await expect
      .poll(() => printed("describe", "deployment", "told"))
      .toMatch(new RegExp(`Warning +SkillDenied .*skill-admission.*${cause} extra.py`));
    await expect
      .poll(() => printed("describe", "replicaset", "-l", "app=told"))
      .toMatch(new RegExp(`Warning +FailedCreate .*${cause} extra.py`));
    for (const reason of ["SkillDenied +deployment/told", "FailedCreate +replicaset/told-"])
      await expect
        .poll(() => printed("get", "events"))
        .toMatch(new RegExp(`Warning +${reason}.*${cause} extra.py`));
    await expect
      .poll(() => printed("get", "deployment", "told", "-o", `jsonpath=${failure}`))
      .toMatch(new RegExp(`${cause} extra.py`));
    // It only says that there is no progress: the condition and the Event are next to it.
    const { code, stderr } = await here("rollout", "status", "deployment", "told");
    expect([code, stderr]).toEqual([1, expect.stringContaining("exceeded its progress deadline")]);
    // The same denial again and again is one Event.
    const denials = `/api/v1/namespaces/${namespace}/events?fieldSelector=reason%3DSkillDenied`;
    const kinds = async () =>
      (await api<EventList>(denials)).items.map(({ involvedObject }) => involvedObject.kind).sort();
    await expect.poll(kinds).toEqual(["Deployment"]);
    expect(await product.metrics()).not.toMatch(/skill_admission_events_dropped_total\{.*\} [1-9]/);
  });

  it("it tells of a denial on the custom resource that made the pod", async () => {
    const { configMaps, pod } = ship(withFiles(good.skill, { "extra.py": "x" }), namespace, "sandboxed");
    const owner = { apiVersion: "agents.x-k8s.io/v1alpha1", kind: "Sandbox", name: "sandboxed", uid: "1" };
    const ownerReferences = [{ ...owner, controller: true }];
    const made = { ...pod, metadata: { ...(pod["metadata"] as Part), ownerReferences } };
    await tryApply([...(configMaps as unknown as readonly Part[]), made]);
    const about = `/api/v1/namespaces/${namespace}/events?fieldSelector=involvedObject.kind%3DSandbox`;
    const reasons = async () => (await api<EventList>(about)).items.map(({ reason }) => reason);
    await expect.poll(reasons).toEqual(["SkillDenied"]);
  });

  it("it judges a pod once more when it is bound", async () => {
    const pem = good.trust.keys[0]!.key.export({ type: "spki", format: "pem" });
    await enforce(
      policy(namespace, { publishers: [{ name: "team", publicKey: { pem } }], recheck: "Binding" }),
    );
    await expect
      .poll(async () => JSON.stringify(await find(registrationPath)))
      .toContain("bindings.skill-admission.dev");
    const pods = `/api/v1/namespaces/${namespace}/pods`;
    const { uid } = (await api(`${pods}/good`))["metadata"] as { readonly uid: string };
    const target = { kind: "Node", name: "node-1" };
    const body = { apiVersion: "v1", kind: "Binding", metadata: { name: "good", uid }, target };
    // The API server asks within moments of the registration; dry runs bind nothing.
    const asked = async (): Promise<string | undefined> => {
      await api(`${pods}/good/binding?dryRun=All`, { method: "POST", body });
      return (await product.log()).findLast(({ kind }) => kind === "Binding")?.decision;
    };
    await expect.poll(asked).toBe("allow");
  });

  it("it puts its registration back, and says so", async () => {
    await remove(registrationPath);
    await expect.poll(() => find(registrationPath)).toBeDefined();
    await expect.poll(() => product.metrics()).toMatch(/^skill_admission_webhook_repairs_total [1-9]/m);
    const told = async () =>
      (await product.log()).find(({ msg }) => msg.includes("registration was changed"));
    await expect
      .poll(told)
      .toMatchObject({ level: "warn", msg: expect.stringContaining("put back: it was deleted") as string });
  });

  it("nothing was refused to it", async () => {
    // It began before there was a policy, and its registration was deleted, when a pod that had been denied may have come in;
    // everything else that it warns of would be a right that it lacks.
    const expected =
      /^there is no ClusterSkillPolicy|registration was changed|^a stored workload does not comply$/;
    const lines = (await product.log()).filter(({ msg }) => !expected.test(msg));
    expect(lines.filter(({ level }) => level === "warn" || level === "error")).toEqual([]);
  });
});
