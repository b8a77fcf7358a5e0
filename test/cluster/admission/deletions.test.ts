import { beforeAll, describe, expect, it, vi } from "vitest";
import { configMap, container, mount, podObject, volume } from "../../fixtures/pods.ts";
import { signedSkill, withFiles, type SignedSkill } from "../../fixtures/signed-skill.ts";
import { apply } from "../harness/apply.ts";
import { tryKubectl } from "../harness/cluster.ts";
import { sharedProduct, type SharedProduct } from "./product.ts";
import {
  createNamespace,
  denial,
  enforce,
  pemOf,
  policy,
  ship,
  tryApply,
  warnings,
  type Part,
} from "./world.ts";
import { patience } from "../../fixtures/patience.ts";

const [enforced, warned, going] = ["deletions", "deletions-warn", "deletions-going"];

let good: SignedSkill;
let product: SharedProduct;

beforeAll(async () => {
  good = signedSkill();
  product = await sharedProduct();
  const publishers = [{ name: "team", publicKey: { pem: pemOf(good) } }];
  for (const one of [enforced, warned, going]) await createNamespace(one, one);
  await enforce(
    policy(enforced, { publishers }),
    policy(going, { publishers }),
    policy(warned, { publishers, mode: "Warn" }),
  );
});

/** An immutable ConfigMap with a skill that nobody signed, and a pod that has one harmless key of it. */
function evil(
  name: string,
  namespace: string,
  metadata: Part = {},
): { readonly object: Part; readonly pod: Part } {
  const data = { note: "harmless", "SKILL.md": "---\nname: a\ndescription: b\n---\nEvil.\n" };
  const object = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, namespace, ...metadata },
    immutable: true,
    data,
  };
  const pod = podObject({
    name: `has-${name}`,
    volumes: [volume("v", configMap(name, [["note", "note"]]))],
    containers: [container("app", [mount("v", "/opt/app")])],
  });
  return { object, pod: { ...pod, metadata: { ...(pod.metadata as Part), namespace } } };
}

const inNamespace = (namespace: string, ...args: readonly string[]) => tryKubectl(["-n", namespace, ...args]);
const gone = (namespace: string, name: string): Promise<void> =>
  vi.waitFor(
    async () => expect((await inNamespace(namespace, "get", "configmap", name)).code).toBe(1),
    patience,
  );

describe("the deletion of an immutable ConfigMap with a skill that nobody signed", () => {
  it("is refused while a pod has a key of it, by name, in a collection and as a dry run", async () => {
    const { object, pod } = evil("x", enforced);
    await apply(object, pod);
    for (const more of [["x"], ["x", "--dry-run=server"], ["--field-selector=metadata.name=x"]]) {
      const text = denial(await inNamespace(enforced, "delete", "configmap", ...more));
      expect(text).toContain(
        `policy "${enforced}" denied deleting ConfigMap ${enforced}/x: it is still in use`,
      );
      expect(text).toContain("STILL_IN_USE Pod has-x has it");
      expect(text).toContain(
        "fix: delete or replace these pods first, or leave the ConfigMap and use a new name",
      );
    }
    await product.decision("ConfigMap", "x", { decision: "deny", operation: "DELETE" });
    await inNamespace(enforced, "delete", "pod", "has-x", "--grace-period=0", "--force");
    await vi.waitFor(
      async () => expect(await inNamespace(enforced, "delete", "configmap", "x")).toMatchObject({ code: 0 }),
      patience,
    );
  });

  it("is refused to the garbage collector as well, which tries again when the pod is gone", async () => {
    const owner = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "owner", namespace: enforced } };
    await apply(owner);
    const uid = (await inNamespace(enforced, "get", "configmap", "owner", "-o", "jsonpath={.metadata.uid}"))
      .stdout;
    const ownerReferences = [{ apiVersion: "v1", kind: "ConfigMap", name: "owner", uid }];
    const { object, pod } = evil("owned", enforced, { ownerReferences });
    await apply(object, pod);
    await inNamespace(enforced, "delete", "configmap", "owner");
    await vi.waitFor(async () => {
      const lines = await product.log();
      expect(lines).toContainEqual(
        expect.objectContaining({ name: "owned", operation: "DELETE", decision: "deny" }),
      );
    }, patience);
    expect(await inNamespace(enforced, "get", "configmap", "owned")).toMatchObject({ code: 0 });
    await inNamespace(enforced, "delete", "pod", "has-owned", "--grace-period=0", "--force");
    await gone(enforced, "owned");
  });

  it("is refused where a pod came after it, with its last finalizer, and goes on when the pod is gone", async () => {
    const { object, pod } = evil("ends", enforced, { finalizers: ["example.com/a", "example.com/b"] });
    await apply(object);
    expect(await inNamespace(enforced, "delete", "configmap", "ends", "--wait=false")).toMatchObject({
      code: 0,
    });
    await apply(pod);
    const finalizers = (list: string) =>
      inNamespace(
        enforced,
        "patch",
        "configmap",
        "ends",
        "--type=merge",
        "-p",
        `{"metadata":{"finalizers":${list}}}`,
      );
    expect(await finalizers('["example.com/b"]')).toMatchObject({ code: 0 });
    for (const none of ["[]", "null"])
      expect(denial(await finalizers(none))).toContain("STILL_IN_USE Pod has-ends");
    await inNamespace(enforced, "delete", "pod", "has-ends", "--grace-period=0", "--force");
    await vi.waitFor(async () => expect(await finalizers("null")).toMatchObject({ code: 0 }), patience);
    await gone(enforced, "ends");
  });

  it("is let through in mode Warn, with a warning", async () => {
    const { object, pod } = evil("x", warned);
    await apply(object, pod);
    const ran = await inNamespace(warned, "delete", "configmap", "x");
    expect(ran).toMatchObject({ code: 0 });
    expect(warnings(ran).join("\n")).toContain("STILL_IN_USE");
  });

  it("goes with its namespace, whatever pods have", async () => {
    const { object, pod } = evil("x", going);
    await apply(object, pod);
    expect(await tryKubectl(["delete", "namespace", going, "--timeout=60s"])).toMatchObject({ code: 0 });
  });
});

describe("what is not asked about, or deleted as ever", () => {
  it("is every ConfigMap that may change, and an immutable one without a skill", async () => {
    for (const immutable of [true, false]) {
      const { object, pod } = evil(`plain-${immutable}`, enforced);
      const data = immutable ? { note: "harmless", "spark.properties": "a=b" } : (object["data"] as Part);
      await apply({ ...object, immutable, data }, pod);
      expect(await inNamespace(enforced, "delete", "configmap", `plain-${immutable}`)).toMatchObject({
        code: 0,
        stderr: "",
      });
    }
    await product.decision("ConfigMap", "plain-true", {
      operation: "DELETE",
      bypass: "no-skills",
    });
    await product.decision("ConfigMap", "plain-false", { operation: "CREATE" });
  });

  it("is a signed skill under running pods", async () => {
    const shipped = ship(good.skill, enforced, "signed");
    expect(await tryApply(shipped.all)).toMatchObject({ code: 0 });
    for (const { metadata } of shipped.configMaps)
      expect(await inNamespace(enforced, "delete", "configmap", metadata.name)).toMatchObject({ code: 0 });
    const wrong = ship(withFiles(good.skill, { "a.md": "x" }), enforced, "wrong");
    expect(denial(await tryApply(wrong.all))).toContain("FILE_UNSIGNED");
  });
});
