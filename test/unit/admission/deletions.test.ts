import { describe, expect, it } from "vitest";
import type { Holders } from "../../../src/evaluation/cluster-view.ts";
import type { KubernetesObject } from "../../../src/kubernetes/object.ts";
import { podOf } from "../../../src/workload/carriers/pod-of.ts";
import { configMap, container, mount, podObject, projected, volume, type Part } from "../../fixtures/pods.ts";
import { signedSkill, withFiles } from "../../fixtures/signed-skill.ts";
import { changed, configMapOf, denial, namespace, policyObject, published, World } from "./world.ts";

type Spec = Readonly<Record<string, unknown>>;

const immutable = (object: KubernetesObject): KubernetesObject => ({ ...object, immutable: true });
const deletion = (oldObject: KubernetesObject, more: Spec = {}): Spec => ({
  operation: "DELETE",
  resource: { group: "", version: "v1", resource: "configmaps" },
  kind: { group: "", version: "v1", kind: "ConfigMap" },
  name: (oldObject.metadata as { readonly name: string }).name,
  oldObject,
  ...more,
});

/** A pod that has keys of a ConfigMap for something else. */
const plain = (name: string, object: string, items?: Parameters<typeof configMap>[1]): KubernetesObject =>
  podObject({
    name,
    volumes: [volume("v", configMap(object, items))],
    containers: [container("app", [mount("v", "/opt/app")])],
  });

/** A world of which this is known beside its pods. */
function holding(world: World, holders: Holders, gone: readonly KubernetesObject[] = []): World {
  const { deps } = world;
  Object.defineProperty(world, "deps", {
    get: () => ({
      ...deps,
      policies: { current: () => world.snapshot },
      cluster: {
        ...deps.cluster,
        holders: () => holders,
        podsGone: () => gone.map((object) => podOf(object, namespace)!),
      },
    }),
  });
  return world;
}

const evil = immutable(configMapOf(changed).object);

describe("the deletion of an immutable ConfigMap", () => {
  it("is refused while a pod has one harmless key of a skill that nobody signed", async () => {
    const world = new World();
    world.running = ["a", "b", "c", "d", "e"].map((name) => plain(name, "skills-etl", [["f0", "note"]]));
    expect(denial(await world.review(null, deletion(evil)))?.split("\n")).toEqual([
      'policy "payments" denied deleting ConfigMap payments/skills-etl: it is still in use: STILL_IN_USE',
      "- skills-etl (ConfigMap skills-etl)",
      expect.stringMatching(
        /^ {2}STILL_IN_USE Pod a, b, c and 2 more have it, and not all of it is signed \(f0, f1, f2 and \d+ more\): a node gives its bytes to every pod that mounts this name, as long as one that has it is there$/,
      ),
      "  fix: delete or replace these pods first, or leave the ConfigMap and use a new name",
      expect.stringMatching(/^decision /),
    ]);
  });

  it.each([
    ["no pod has it", [], deletion(evil), "unused"],
    ["it holds no skill", [plain("a", "conf")], deletion(immutable(plainConfig())), "no-skills"],
    ["it may change", [plain("a", "skills-etl")], deletion(configMapOf(changed).object), "operation"],
    ["no policy governs", [plain("a", "skills-etl")], deletion(evil, { namespace: "other" }), "ungoverned"],
  ] as const)("goes through where %s", async (_, running, request, bypass) => {
    const world = new World();
    world.running = running;
    expect((await world.review(null, request)).decision).toMatchObject({ outcome: "allow", bypass });
  });

  it("is refused for variables alone, for pods that run on unseen, and where only the frontmatter tells of a skill", async () => {
    const names = ["p (deleted by force)"];
    const text = denial(
      await holding(new World(), { names: () => names, since: "" }).review(null, deletion(evil)),
    );
    expect(text).toContain("STILL_IN_USE Pod p (deleted by force) has it");
    const hidden = { ...plainConfig(), data: { conf: "---\nname: a\ndescription: b\n---\n" } };
    const world = new World();
    world.running = [plain("a", "conf")];
    expect(denial(await world.review(null, deletion(immutable(hidden))))).toContain("STILL_IN_USE");
  });

  it.each([
    ["Warn", "warn"],
    ["Audit", "allow"],
  ])("is let through in mode %s, with a word", async (mode, outcome) => {
    const world = new World().withPolicies(policyObject({ mode }));
    world.running = [plain("a", "skills-etl")];
    const { decision, body } = await world.review(null, deletion(evil));
    expect(decision).toMatchObject({
      outcome,
      verdicts: [{ skills: [{ findings: [{ code: "STILL_IN_USE" }] }] }],
    });
    if (mode === "Warn") expect(body).toContain("STILL_IN_USE Pod a has it");
  });

  it("is judged by each policy for itself", async () => {
    const other = policyObject({ publishers: [{ name: "n", publicKey: { pem: strangersKey() } }] }, "other");
    const world = new World().withPolicies(policyObject(), {
      ...other,
      spec: { ...(other["spec"] as Spec), mode: "Warn" },
    });
    world.running = [world.carry(published.skill)];
    const { decision } = await world.review(null, deletion(immutable(configMapOf(published.skill).object)));
    expect(decision).toMatchObject({
      outcome: "warn",
      verdicts: [
        { policy: "payments", outcome: "allow" },
        { policy: "other", outcome: "warn" },
      ],
    });
  });

  it("is reviewed at the last finalizer of one that is being deleted, and not before", async () => {
    const world = new World();
    world.running = [plain("a", "skills-etl")];
    const ending = (finalizers?: readonly string[]): KubernetesObject => ({
      ...evil,
      metadata: { ...(evil.metadata as Spec), deletionTimestamp: "2026-10-01T00:00:00Z", finalizers },
    });
    const oldObject = ending(["a/b"]);
    const update = { operation: "UPDATE", oldObject };
    for (const finalizers of [undefined, []])
      expect(denial(await world.review(ending(finalizers), update))).toContain("STILL_IN_USE");
    const { decision } = await world.review(ending(["c/d"]), update);
    expect(decision).toMatchObject({ outcome: "allow", bypass: "unchanged" });
    const alive = { ...evil, metadata: { ...(evil.metadata as Spec), finalizers: [] } };
    expect((await world.review(alive, { ...update, oldObject: evil })).decision).toMatchObject({
      bypass: "unchanged",
    });
  });

  it("names the object of a deletion of a collection, which has no name of its own", async () => {
    const world = new World();
    world.running = [plain("a", "skills-etl")];
    const { decision } = await world.review(null, deletion(evil, { name: "" }));
    expect(decision).toMatchObject({ outcome: "deny", subject: { name: "skills-etl", operation: "DELETE" } });
  });
});

describe("the deletion of a signed skill's ConfigMaps", () => {
  it("goes through right after its pods are gone", async () => {
    const pod = new World().carry(published.skill);
    const names = ["etl (deleted a moment ago)"];
    const review = (gone: KubernetesObject) =>
      holding(new World(), { names: () => names, since: "" }, [gone]).review(
        null,
        deletion(immutable(configMapOf(published.skill).object)),
      );
    expect(denial(await review(pod))).toBeUndefined();
    expect(denial(await review(plain("etl", "skills-etl", [["f0", "note"]])))).toContain("STILL_IN_USE");
  });

  /** The skill in so many immutable ConfigMaps, and the pod that runs it. */
  function packaged(count: number): World & { readonly parts: readonly KubernetesObject[] } {
    const big = signedSkill({ key: published.key, files: filesOf(3) }).skill;
    const names = [...big.files.keys()].sort();
    const parts = Array.from({ length: count }, (_, at) => names.filter((__, index) => index % count === at));
    const objects = parts.map((keys, at): KubernetesObject => ({
      apiVersion: "v1",
      kind: "ConfigMap",
      immutable: true,
      metadata: { name: `etl-${at}`, namespace },
      binaryData: Object.fromEntries(
        keys.map((key) => [
          key.replaceAll("/", "_"),
          Buffer.from(big.files.get(key)!.bytes).toString("base64"),
        ]),
      ),
    }));
    const sources = parts.map((keys, at): Part =>
      configMap(
        `etl-${at}`,
        keys.map((key) => [key.replaceAll("/", "_"), key]),
      ),
    );
    const world = new World();
    for (const [at, object] of objects.entries()) world.configMaps.set(`etl-${at}`, object);
    const pod = podObject({
      name: "etl",
      volumes: [volume("v", projected(...sources))],
      containers: [container("agent", [mount("v", "/skills/data-designer")])],
    });
    world.running = [pod];
    return Object.assign(world, { parts: objects });
  }

  it.each([1, 2, 3])("goes on under running pods, one after the other, with %s of them", async (count) => {
    const world = packaged(count);
    for (const [at, part] of world.parts.entries()) {
      expect(denial(await world.review(null, deletion(part))), String(at)).toBeUndefined();
      world.configMaps.delete(`etl-${at}`);
    }
  });

  it("is refused where a pod shows a file that is not among the signed ones, whichever part is gone", async () => {
    const world = packaged(2);
    const [first, second] = world.parts as [KubernetesObject, KubernetesObject];
    const other = { ...second, binaryData: { ...(second["binaryData"] as Spec), evil: "ZXZpbA==" } };
    world.configMaps.set("etl-1", other);
    expect(denial(await world.review(null, deletion(other)))).toContain("not all of it is signed (evil)");
    expect(denial(await world.review(null, deletion(first)))).toBeUndefined();
    world.configMaps.delete("etl-0");
    expect(denial(await world.review(null, deletion(other)))).toContain("not all of it is signed (evil)");
  });

  it("is refused for files that signatures leave out", async () => {
    const world = new World();
    const skill = withFiles(published.skill, { ".github/run.sh": "evil" });
    world.running = [world.carry(skill)];
    const { object } = configMapOf(skill);
    expect(denial(await world.review(null, deletion(immutable(object))))).toContain(
      "not all of it is signed (f0)",
    );
    const whole = new World();
    whole.running = [whole.carry(published.skill), plain("beside", "skills-etl", [["f0", "note"]])];
    const signed = immutable(configMapOf(published.skill).object);
    expect(denial(await whole.review(null, deletion(signed)))).toBeUndefined();
  });
});

describe("a new pod with a skill under a name that others had before", () => {
  const at = (second: number) => `2026-10-01T00:00:0${second}Z`;
  const made = (second: number): KubernetesObject => {
    const { object } = configMapOf(published.skill);
    return { ...object, metadata: { ...(object.metadata as Spec), creationTimestamp: at(second) } };
  };

  function world(since: string, running: readonly KubernetesObject[], names: readonly string[] = []): World {
    const one = holding(new World(), {
      names: () => [...names, ...running.map(({ metadata }) => (metadata as { name: string }).name)],
      since,
    });
    one.configMaps.set("skills-etl", made(5));
    one.running = running;
    return one;
  }
  const pod = new World().carry(published.skill);
  const key = plain("tool", "skills-etl", [["f0", "note"]]);

  it.each([
    ["has a key of it", [key], []],
    ["has it in variables", [], ["tool"]],
  ] as const)("is denied where one that %s was there before the ConfigMap", async (_, running, names) => {
    for (const since of [at(4), at(5)]) {
      const text = denial(await world(since, running, names).review(pod));
      expect(text).toContain(
        "CHANGED_IN_PLACE ConfigMap skills-etl may have been made anew under Pod tool, whose node goes on giving the one of this name that it had first",
      );
      expect(text).toContain("fix: give the new version ConfigMaps of new names");
    }
  });

  it("is admitted where that one came later, or shows the same skill", async () => {
    const replica = { ...pod, metadata: { ...(pod.metadata as Spec), name: "replica" } };
    expect(denial(await world(at(6), [key]).review(pod))).toBeUndefined();
    expect(denial(await world(at(4), [replica]).review(pod))).toBeUndefined();
    expect(
      denial(await world(at(4), [key]).review(plain("more", "skills-etl", [["f0", "x"]]))),
    ).toBeUndefined();
  });

  it("is denied after one that was deleted with another use, by its own name too, and not after one that showed the skill", async () => {
    const goneOf = (name: string): Holders => ({
      names: () => [`${name} (deleted a moment ago)`],
      since: at(4),
    });
    const named = (one: KubernetesObject): string => (one.metadata as { readonly name: string }).name;
    const review = async (one: KubernetesObject) => {
      const world = holding(new World(), goneOf(named(one)), [one]);
      world.configMaps.set("skills-etl", made(5));
      return denial(await world.review(pod));
    };
    const same = { ...key, metadata: pod.metadata };
    expect(await review(key)).toContain("CHANGED_IN_PLACE");
    expect(await review(same as KubernetesObject)).toContain("CHANGED_IN_PLACE");
    expect(await review(pod)).toBeUndefined();
  });

  it("is admitted beside replicas that came in one second with their ConfigMap, at no root; later ones tell more", async () => {
    const flat = [...published.skill.files].filter(([path]) => !/\/|\.sig$/.test(path));
    const files = Object.fromEntries(flat.map(([path, { bytes }]) => [path, bytes]));
    const { skill } = signedSkill({ key: published.key, files });
    const keys = [...skill.files].map(([path, { bytes }]) => [path, Buffer.from(bytes).toString("base64")]);
    const elsewhere = (name: string, second: number): KubernetesObject => {
      const one = podObject({
        name,
        volumes: [volume("v", configMap("skills-etl"))],
        containers: [container("agent", [mount("v", `/opt/${skill.name}`)])],
      });
      return { ...one, metadata: { ...(one.metadata as Spec), creationTimestamp: at(second) } };
    };
    const review = async (since: number, ...running: readonly KubernetesObject[]) => {
      const one = world(at(since), running);
      one.configMaps.set("skills-etl", { ...made(5), binaryData: Object.fromEntries(keys) as Spec });
      return denial(await one.review(elsewhere("second", 6)));
    };
    expect(await review(5, elsewhere("first", 5))).toBeUndefined();
    expect(await review(4, elsewhere("first", 4))).toContain("CHANGED_IN_PLACE");
    expect(await review(5, elsewhere("first", 5), key)).toContain("Pod tool");
  });

  it("is denied at a skill root though the new ConfigMap shows nothing there", async () => {
    const inRoot = podObject({
      name: "root",
      volumes: [volume("v", configMap("skills-etl", undefined, { optional: true }))],
      containers: [container("agent", [mount("v", "/root/.claude/commands")])],
    });
    for (const present of [true, false]) {
      const one = world(at(4), [key]);
      one.configMaps.delete("skills-etl");
      if (present) one.configMaps.set("skills-etl", { ...made(5), binaryData: {} });
      expect(denial(await one.review(inRoot))).toContain("CHANGED_IN_PLACE");
      expect(
        denial(await world(at(6), []).review(plain("other", "skills-etl", [["f0", "x"]]))),
      ).toBeUndefined();
    }
  });

  it.each([
    ["came after it, and it cannot change", 6, true, undefined],
    ["is older", 4, true, "under Pod beside"],
    ["came after it, and it may have been another", 6, false, "under Pod beside"],
  ])(
    "beside one that shows the skill outside of roots is judged by whether that %s",
    async (_, created, isImmutable, text) => {
      const keys = [...published.skill.files].map(
        ([path, { bytes }]) => [path.replaceAll("/", "_"), path, bytes] as const,
      );
      const binaryData = Object.fromEntries(
        keys.map(([key, , bytes]) => [key, Buffer.from(bytes).toString("base64")]),
      );
      const beside = podObject({
        name: "beside",
        volumes: [volume("v", configMap("skills-etl"))],
        containers: [container("agent", [mount("v", "/srv/agent/lib/s")])],
      });
      const metadata = { ...(beside.metadata as Spec), creationTimestamp: at(created) };
      const one = world(at(4), [{ ...beside, metadata }]);
      one.configMaps.set("skills-etl", { ...made(5), binaryData, immutable: isImmutable });
      const more = podObject({
        name: "more",
        volumes: [
          volume(
            "v",
            configMap(
              "skills-etl",
              keys.map(([key, path]) => [key, path]),
            ),
          ),
        ],
        containers: [container("agent", [mount("v", "/skills/data-designer")])],
      });
      const denied = denial(await one.review(more));
      if (text === undefined) expect(denied).toBeUndefined();
      else expect(denied).toContain(text);
    },
  );

  it("is judged when it starts containers, and not when it is changed later", async () => {
    const one = world(at(4), [key]);
    const update = {
      operation: "UPDATE",
      oldObject: { ...pod, spec: { ...(pod["spec"] as Spec), hostPID: true } },
    };
    expect(denial(await one.review(pod, update))).toBeUndefined();
  });
});

function plainConfig(): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "conf", namespace },
    data: { "spark.properties": "a=b" },
  };
}

function strangersKey(): string {
  return signedSkill().trust.keys[0]!.key.export({ type: "spki", format: "pem" }) as string;
}

function filesOf(count: number): Readonly<Record<string, string>> {
  const md = "---\nname: data-designer\ndescription: Designs data.\n---\n";
  return {
    "SKILL.md": md,
    ...Object.fromEntries(Array.from({ length: count }, (_, at) => [`scripts/${at}.sh`, `echo ${at}`])),
  };
}
