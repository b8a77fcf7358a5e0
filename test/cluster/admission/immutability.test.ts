import { beforeAll, describe, expect, it } from "vitest";
import { signedSkill, type SignedSkill } from "../../fixtures/signed-skill.ts";
import { apply } from "../harness/apply.ts";
import { tryKubectl } from "../harness/cluster.ts";
import { sharedProduct } from "./product.ts";
import { createNamespace, denial, enforce, mutable, pemOf, policy, ship, tryApply } from "./world.ts";

const strict = "immutable";
const namespace = "changeable";

let good: SignedSkill;

beforeAll(async () => {
  good = signedSkill();
  await sharedProduct();
  const publishers = [{ name: "team", publicKey: { pem: pemOf(good) } }];
  for (const one of [namespace, strict]) await createNamespace(one, one);
  await enforce(
    policy(namespace, { publishers }),
    policy(strict, { publishers, immutability: { configMap: "Required", readOnlyMount: "Required" } }),
  );
});

describe("a policy that demands what cannot change", () => {
  it("denies a mutable ConfigMap and admits an immutable one", async () => {
    const { configMap, pod } = mutable(good.skill, "mutable", strict);
    await apply(configMap);
    const text = denial(await tryApply([pod]));
    expect(text).toContain("  NOT_IMMUTABLE ");
    expect(text).toContain("ConfigMap mutable (in a projected volume) has no immutable: true");
    expect(text).toContain(
      "  fix: set immutable: true on each of these objects (skill-admission package does)",
    );
    expect(await tryApply([{ ...configMap, immutable: true }, pod])).toMatchObject({ code: 0, stderr: "" });
  });

  it("another admits the mutable one, where it demands nothing", async () => {
    const { configMap, pod } = mutable(good.skill, "mutable", namespace);
    expect(await tryApply([configMap, pod])).toMatchObject({ code: 0, stderr: "" });
  });

  it("leaves the API server to refuse changes of an immutable one", async () => {
    const shipped = ship(good.skill, strict, "sealed");
    await apply(...shipped.all);
    const { name } = shipped.configMaps[0]!.metadata;
    const ran = await tryKubectl(["-n", strict, "patch", "configmap", name, "-p", '{"data":{"x":"y"}}']);
    expect(ran.code).toBe(1);
  });
});
