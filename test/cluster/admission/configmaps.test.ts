import { beforeAll, describe, expect, it } from "vitest";
import { signedSkill, withFiles, type SignedSkill } from "../../fixtures/signed-skill.ts";
import type { Skill } from "../../../src/skill/skill.ts";
import { apply } from "../harness/apply.ts";
import { patch, remove } from "../harness/api.ts";
import { sharedProduct, type SharedProduct } from "./product.ts";
import type { LogLine } from "../harness/log.ts";
import {
  causeIn,
  createNamespace,
  denial,
  enforce,
  mutable,
  oneByteChanged,
  pemOf,
  policy,
  ship,
  short,
  tryApply,
  type Part,
} from "./world.ts";

const namespace = "configmaps";
const ungoverned = "configmaps-free";
const script = "scripts/run.sh";
const at = (plural: string, name: string): string => `/api/v1/namespaces/${namespace}/${plural}/${name}`;

let product: SharedProduct;

let good: SignedSkill;
let broken: Skill;

beforeAll(async () => {
  good = signedSkill();
  broken = withFiles(good.skill, { [script]: oneByteChanged(good.skill.files.get(script)!.bytes) });
  const pem = pemOf(good);
  const publishers = [{ name: "team", publicKey: { pem } }];
  product = await sharedProduct();
  await createNamespace(namespace, namespace);
  await createNamespace(ungoverned);
  await enforce(policy(namespace, { publishers }));
});

const facts = (): string =>
  `  DIGEST_MISMATCH ${script}: signed ${short(good.skill, script)}, found ${short(broken, script)}`;

describe("a ConfigMap that a running pod mounts", () => {
  it("may not be changed so that the pod's skill is no longer the signed one; the denial names the pod", async () => {
    const { configMap, pod } = mutable(good.skill, "changed", namespace);
    await apply(configMap, pod);
    const ran = await tryApply([mutable(broken, "changed", namespace).configMap]);
    expect(denial(ran).split("\n")).toEqual([
      `policy "${namespace}" denied ConfigMap ${namespace}/changed: 1 of 1 skill failed: ${causeIn([facts()])}`,
      `- data-designer (projected changed at /skills/data-designer, mounted by Pod ${namespace}/changed): signed by team (key ${good.trust.keys[0]!.fingerprint.slice(0, 16)}…), changed since`,
      facts(),
      "  fix: mount the published files again, or sign the changed skill",
      "decision ID",
    ]);
    expect(ran.stderr).toContain('admission webhook "configmaps.skill-admission.dev" denied the request');
  });

  it("may not lose a file, nor gain one that the pod would see", async () => {
    const { configMap, pod } = mutable(good.skill, "keys", namespace);
    await apply(configMap, pod);
    const fewer = Object.entries(configMap["data"] as Part).slice(1);
    const ran = await tryApply([{ ...configMap, data: Object.fromEntries(fewer) }]);
    expect(denial(ran)).toContain("mounted by Pod configmaps/keys");
    // Without `items` every key is a file.
    const flat = signedSkill({
      name: "flat",
      key: good.key,
      files: { "SKILL.md": "---\nname: flat\ndescription: x\n---\n" },
    });
    const whole = (skill: Skill): Part => ({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "whole", namespace },
      data: Object.fromEntries(
        [...skill.files].map(([path, { bytes }]) => [path, Buffer.from(bytes).toString()]),
      ),
    });
    const volumes = [{ name: "v", configMap: { name: "whole" } }];
    const containers = [
      { name: "a", image: "example.invalid/a", volumeMounts: [{ name: "v", mountPath: "/skills/flat" }] },
    ];
    await apply(whole(flat.skill), {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "whole", namespace },
      spec: { containers, volumes },
    });
    expect(denial(await tryApply([whole(withFiles(flat.skill, { "extra.md": "x" }))]))).toContain(
      "FILE_UNSIGNED extra.md",
    );
  });

  it("may be changed to what another signature covers, and in what is no file", async () => {
    const { configMap, pod } = mutable(good.skill, "renewed", namespace);
    await apply(configMap, pod);
    const newer = signedSkill({
      key: good.key,
      files: { "SKILL.md": "---\nname: data-designer\ndescription: y\n---\n" },
    });
    // Another version has other files: the pod's items must all be there, and none beside them.
    const sameFiles = signedSkill({
      key: good.key,
      files: Object.fromEntries(
        [...good.skill.files]
          .filter(([path]) => path !== "skill.oms.sig")
          .map(([path, { bytes }]) => [path, Buffer.concat([bytes, Buffer.from("\n")])]),
      ),
    });
    expect(await tryApply([mutable(sameFiles.skill, "renewed", namespace).configMap])).toMatchObject({
      code: 0,
    });
    expect(denial(await tryApply([mutable(newer.skill, "renewed", namespace).configMap]))).toContain(
      "mounted by Pod",
    );
    await patch(at("configmaps", "renewed"), { data: { unmounted: "1" } });
    await product.decision("ConfigMap", "renewed", { decision: "allow" });
  });

  it("may not come anew with other content after a deletion; the same content passes", async () => {
    const shipped = ship(good.skill, namespace, "anew");
    await apply(...shipped.all);
    const { name } = shipped.configMaps[0]!.metadata;
    await remove(at("configmaps", name));
    const other = ship(broken, namespace, "anew").configMaps[0]!;
    const ran = await tryApply([{ ...other, metadata: { ...other.metadata, name } }]);
    expect(denial(ran)).toContain(`mounted by Pod ${namespace}/anew`);
    expect(denial(ran)).toContain(facts());
    expect(await tryApply([shipped.configMaps[0]! as unknown as Part])).toMatchObject({
      code: 0,
      stderr: "",
    });
  });

  it("is checked in a dry run too", async () => {
    const { configMap, pod } = mutable(good.skill, "dry", namespace);
    await apply(configMap, pod);
    const ran = await tryApply([mutable(broken, "dry", namespace).configMap], { dryRun: true });
    expect(denial(ran)).toContain(facts());
  });

  it("may be changed at will once the pod has gone, and not because somebody writes that it has ended", async () => {
    const { configMap, pod } = mutable(good.skill, "ended", namespace);
    await apply(configMap, pod);
    await patch(`${at("pods", "ended")}/status`, { status: { phase: "Succeeded" } });
    const change = () => tryApply([mutable(broken, "ended", namespace).configMap]);
    expect(denial(await change())).toContain(`mounted by Pod ${namespace}/ended`);
    await remove(at("pods", "ended"));
    // The end of a pod comes by watch.
    await expect.poll(async () => (await change()).code).toBe(0);
    await product.decision("ConfigMap", "ended", { bypass: "unused" });
  });
});

describe("a ConfigMap that no governed pod mounts", () => {
  it("passes, whatever is in it", async () => {
    const { configMap } = mutable(broken, "unused", namespace);
    expect(await tryApply([configMap])).toMatchObject({ code: 0, stderr: "" });
    await product.decision("ConfigMap", "unused", {
      decision: "allow",
      bypass: "unused",
    });
  });

  it("passes unasked where a pod mounts it that no policy governs", async () => {
    const { configMap, pod } = mutable(good.skill, "free", ungoverned);
    await apply(configMap, pod);
    expect(await tryApply([mutable(broken, "free", ungoverned).configMap])).toMatchObject({
      code: 0,
      stderr: "",
    });
    await apply(mutable(good.skill, "after", namespace).configMap);
    await product.decision("ConfigMap", "after");
    expect((await product.log()).filter((line) => line.namespace === ungoverned)).toEqual([]);
  });

  it("is let by without a look at what it holds, however many there are", async () => {
    const many = Array.from(
      { length: 60 },
      (_, index) => mutable(broken, `many-${index}`, namespace).configMap,
    );
    await apply(...many);
    const told = async (): Promise<readonly LogLine[]> =>
      (await product.log()).filter((line) => line.name?.startsWith("many-") === true);
    const names = async () => new Set((await told()).map(({ name }) => name)).size;
    await expect.poll(names).toBe(60);
    expect(new Set((await told()).map(({ bypass }) => bypass))).toEqual(new Set(["unused"]));
    await expect
      .poll(() => product.metrics())
      .toMatch(/^skill_admission_request_duration_seconds_bucket\{.*resource="configmaps".*\} \d+$/m);
  });
});

describe("a skill spread over several ConfigMaps", () => {
  it("is one skill: a change of either ConfigMap is denied", async () => {
    const shipped = ship(good.skill, namespace, "spread");
    const [whole] = shipped.configMaps as unknown as readonly Part[];
    const [source] = shipped.volume.volume.projected.sources;
    const keys = Object.keys(whole!["data"] as Part);
    const half = (skill: Skill, name: string, mine: readonly string[]): Part => {
      const data = (
        ship(skill, namespace, "spread").configMaps[0] as unknown as { data: Record<string, string> }
      ).data;
      return {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name, namespace },
        data: Object.fromEntries(mine.map((key) => [key, data[key]])),
      };
    };
    const [first, second] = [keys.slice(0, 2), keys.slice(2)];
    const part = (name: string, mine: readonly string[]): Part => ({
      configMap: { name, items: source!.configMap.items.filter(({ key }) => mine.includes(key)) },
    });
    const volume = {
      ...shipped.volume.volume,
      projected: { sources: [part("first", first), part("second", second)] },
    };
    await apply(half(good.skill, "first", first), half(good.skill, "second", second), {
      ...shipped.pod,
      spec: { ...(shipped.pod["spec"] as Part), volumes: [volume] },
    });
    const ran = await Promise.all([
      tryApply([half(broken, "first", first)]),
      tryApply([half(broken, "second", second)]),
    ]);
    // One of them holds the changed script; the other is as it was.
    const refused = ran.filter(({ code }) => code !== 0);
    expect(refused).toHaveLength(1);
    expect(denial(refused[0]!).replaceAll(/ +/g, " ")).toContain(facts().trim());
    expect(denial(refused[0]!)).toContain("CHANGED_IN_PLACE the skill comes from ConfigMap ");
    expect(denial(refused[0]!)).toContain(`mounted by Pod ${namespace}/spread`);
  });
});
