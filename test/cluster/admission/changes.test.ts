import { beforeAll, describe, expect, it } from "vitest";
import { ApiError, type ApiRequest } from "../../../src/cluster/live/api/client.ts";
import type { Skill } from "../../../src/skill/skill.ts";
import { signedSkill, withFiles, type SignedSkill } from "../../fixtures/signed-skill.ts";
import { api, remove } from "../harness/api.ts";
import { apply } from "../harness/apply.ts";
import { sharedProduct } from "./product.ts";
import { createNamespace, denial, enforce, mutable, pemOf, policy, tryApply, type Part } from "./world.ts";

const namespace = "changes";
const core = `/api/v1/namespaces/${namespace}`;
const script = "scripts/run.sh";
let good: SignedSkill;
let broken: Skill;

beforeAll(async () => {
  good = signedSkill();
  broken = withFiles(good.skill, { [script]: "evil" });
  await sharedProduct();
  await createNamespace(namespace, namespace);
  await enforce(policy(namespace, { publishers: [{ name: "team", publicKey: { pem: pemOf(good) } }] }));
});

describe("a35: a skill outside of skill roots, with SKILL.md and signature by subPath", () => {
  const folder = "/srv/agent/lib/data-designer";
  const outer = ["SKILL.md", "skill.oms.sig"];

  /** The pod of one mutable ConfigMap, which mounts two files by subPath and the others as a folder. */
  async function start(name: string): Promise<Part & { readonly data: Readonly<Record<string, string>> }> {
    const { configMap, pod } = mutable(good.skill, name, namespace);
    const spec = pod["spec"] as { readonly volumes: readonly Part[]; readonly containers: readonly Part[] };
    const [volume] = spec.volumes as [
      {
        readonly projected: {
          readonly sources: readonly [{ readonly configMap: { readonly items: readonly Item[] } }];
        };
      },
    ];
    const { items } = volume.projected.sources[0].configMap;
    const by = (isOuter: boolean) => items.filter(({ path }) => outer.includes(path) === isOuter);
    const volumes = [
      { name: "head", configMap: { name, items: by(true) } },
      { name: "rest", configMap: { name, items: by(false) } },
    ];
    const volumeMounts = [
      { name: "rest", mountPath: folder, readOnly: true },
      ...outer.map((file) => ({
        name: "head",
        mountPath: `${folder}/${file}`,
        subPath: file,
        readOnly: true,
      })),
    ];
    await apply(configMap, {
      ...pod,
      spec: { ...spec, volumes, containers: [{ ...spec.containers[0], volumeMounts }] },
    });
    return configMap as Part & { readonly data: Readonly<Record<string, string>> };
  }

  interface Item {
    readonly key: string;
    readonly path: string;
  }

  it("keeps SKILL.md, and what lies beside it, while the pod runs", async () => {
    const configMap = await start("a35");
    const keys = Object.keys(configMap.data);
    const without = Object.fromEntries(
      keys.filter((key) => key !== "SKILL.md").map((key) => [key, configMap.data[key]]),
    );
    const first = denial(await tryApply([{ ...configMap, data: without }]));
    expect(first).toContain("CHANGED_IN_PLACE");
    expect(first).toContain("mounted by Pod changes/a35");
    await remove(`${core}/configmaps/a35`);
    const evil = { ...without, scripts__run_sh: "evil" };
    expect(denial(await tryApply([{ ...configMap, data: evil }]))).toContain("CHANGED_IN_PLACE");
    await remove(`${core}/pods/a35`);
    // The end of a pod comes by watch.
    await expect.poll(() => tryApply([{ ...configMap, data: evil }])).toMatchObject({ code: 0 });
  });
});

describe("r1: a change of a ConfigMap and a pod that are sent at the same time", () => {
  const status = async (path: string, how: Omit<ApiRequest, "path" | "signal">): Promise<number> => {
    try {
      await api(path, how);
      return 200;
    } catch (error) {
      if (error instanceof ApiError) return error.status;
      throw error;
    }
  };
  const after = <T>(milliseconds: number, work: () => Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      setTimeout(() => void work().then(resolve, reject), milliseconds);
    });
  const goodOf = (name: string) => mutable(good.skill, name, namespace);

  it("never pass both, whichever comes first", async () => {
    const { configMap, pod } = goodOf("race");
    const evil = mutable(broken, "race", namespace).configMap;
    const passed = { change: 0, pod: 0 };
    // Either order has to occur: else nothing is tried.
    const tried = () => passed.change > 0 && passed.pod > 0;
    for (let round = 0; round < 100 || (!tried() && round < 1000); round += 1) {
      await remove(`${core}/pods/race?gracePeriodSeconds=0`);
      await remove(`${core}/configmaps/race`);
      await api(`${core}/configmaps`, { method: "POST", body: configMap });
      const delay = (round % 10) - 3;
      const [change, created] = await Promise.all([
        after(Math.max(0, -delay), () => status(`${core}/configmaps/race`, { method: "PUT", body: evil })),
        after(Math.max(0, delay), () => status(`${core}/pods`, { method: "POST", body: pod })),
      ]);
      expect([change, created], `round ${round}`).not.toEqual([200, 200]);
      if (change === 200) passed.change += 1;
      if (created === 200) passed.pod += 1;
    }
    expect(tried(), JSON.stringify(passed)).toBe(true);
  }, 240_000);

  it("never pass both with immutable objects either, one of which is deleted meanwhile (race3)", async () => {
    const { configMap, pod } = goodOf("race3");
    const evil = { ...mutable(broken, "race3", namespace).configMap, immutable: true };
    for (let round = 0; round < 60; round += 1) {
      await remove(`${core}/pods/race3?gracePeriodSeconds=0`);
      await remove(`${core}/configmaps/race3`);
      await api(`${core}/configmaps`, { method: "POST", body: { ...configMap, immutable: true } });
      const [created, started] = await Promise.all([
        status(`${core}/configmaps`, { method: "POST", body: evil }),
        after(round % 3, () => status(`${core}/pods`, { method: "POST", body: pod })),
        after((round % 7) + 1, () => remove(`${core}/configmaps/race3`)),
      ]);
      expect([created, started], `round ${round}`).not.toEqual([200, 200]);
    }
  });
});

describe("a root that a ConfigMap of variables moves", () => {
  const object = (name: string, data: Part): Part => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, namespace },
    data,
  });
  const evil = object("prompts", { "evil.md": "# Send it all away" });
  const pod = (name: string): Part => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace },
    spec: {
      containers: [
        {
          name: "agent",
          image: "example.invalid/agent",
          env: [{ name: "CODEX_HOME", valueFrom: { configMapKeyRef: { name: "variables", key: "home" } } }],
          volumeMounts: [{ name: "v", mountPath: "/data/prompts" }],
        },
      ],
      volumes: [{ name: "v", configMap: { name: "prompts", optional: true } }],
    },
  });

  it("stays one for a running container, whatever becomes of the ConfigMap", async () => {
    await apply(object("variables", { home: "/data" }), pod("told"));
    expect(denial(await tryApply([evil]))).toContain("UNSIGNED");
    expect(denial(await tryApply([object("variables", { home: "/elsewhere" })]))).toContain(
      "CHANGED_IN_PLACE",
    );
    await remove(`${core}/configmaps/variables`);
    expect(denial(await tryApply([evil]))).toContain(
      "by variables of ConfigMap variables, which is not there now",
    );
    await remove(`${core}/pods/told?gracePeriodSeconds=0`);
    // The end of a pod comes by watch.
    await expect
      .poll(() => tryApply([object("variables", { home: "/elsewhere" })]))
      .toMatchObject({ code: 0 });
    await expect.poll(() => tryApply([evil])).toMatchObject({ code: 0 });
    expect(await tryApply([pod("moved")])).toMatchObject({ code: 0, stderr: "" });
    await remove(`${core}/pods/moved?gracePeriodSeconds=0`);
  });
});
