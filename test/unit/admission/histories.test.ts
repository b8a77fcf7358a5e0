import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ModelKubelet } from "../../fixtures/model-kubelet.ts";
import { runs } from "../../fixtures/property-runs.ts";
import { configMap, container, mount, podObject, volume, type Part } from "../../fixtures/pods.ts";
import { signedSkill } from "../../fixtures/signed-skill.ts";
import type { KubernetesObject } from "../../../src/kubernetes/object.ts";
import type { Skill } from "../../../src/skill/skill.ts";
import { History, type Content } from "./history.ts";
import { layouts, type Layout } from "./skill-layouts.ts";
import { published } from "./world.ts";

const skillMd = "---\nname: s\ndescription: Keeps a timeline of what happens.\n---\n";

/** Versions that a publisher signed: each differs from the one before in one file and the signature. */
const versions: readonly Readonly<Record<string, string>>[] = [
  { "SKILL.md": skillMd, "a.sh": "echo 1", "b.md": "one" },
  { "SKILL.md": skillMd, "a.sh": "echo 2", "b.md": "one" },
  { "SKILL.md": skillMd, "a.sh": "echo 2", "b.md": "two" },
  { "SKILL.md": `${skillMd}# New\n`, "a.sh": "echo 2", "b.md": "two" },
].map((files) => textsOf(signedSkill({ name: "s", key: published.key, files }).skill));

function textsOf({ files }: Skill): Readonly<Record<string, string>> {
  return Object.fromEntries([...files].map(([path, { bytes }]) => [path, Buffer.from(bytes).toString()]));
}

const treeOf = (files: Iterable<readonly [string, string]>): string => JSON.stringify([...files].sort());
const signedTrees = new Set(versions.map((files) => treeOf(Object.entries(files))));
const signedTexts = new Set(versions.flatMap((files) => Object.values(files)));

type Tree = readonly (readonly [path: string, text: string])[];

const isSignedTree = (tree: Tree): boolean => signedTrees.has(treeOf(tree));

/** Whether each file is signed, by itself: old ConfigMaps that are signed may be shown in other ways than as the skill. */
const isOfSignedFiles = (tree: Tree): boolean => tree.every(([, text]) => signedTexts.has(text));

/** The trees below the skill's folder that containers show and nobody signed. */
function unsignedTrees(
  kubelet: ModelKubelet,
  pods: Iterable<string>,
  folder: string,
  isSigned = isSignedTree,
): readonly string[] {
  return [...pods].flatMap((pod) =>
    kubelet.containersOf(pod).flatMap((container) => {
      const inside = [...kubelet.seen(pod, container)].flatMap(([path, text]) =>
        path.startsWith(`${folder}/`) ? [[path.slice(folder.length + 1), text] as const] : [],
      );
      // Outside of skill roots a folder without SKILL.md is none.
      const isSkill = folder.startsWith("/root/")
        ? inside.length > 0
        : inside.some(([path]) => path === "SKILL.md");
      return !isSkill || isSigned(inside) ? [] : [`${pod}/${container}: ${treeOf(inside)}`];
    }),
  );
}

const objectNames = ["x", "y"] as const;
type Name = (typeof objectNames)[number];

type Step =
  | {
      readonly do: "put";
      readonly name: Name;
      readonly version: number;
      readonly twist: Twist;
      readonly immutable: boolean;
      readonly late: boolean;
    }
  | { readonly do: "delete"; readonly name: Name }
  | { readonly do: "watch"; readonly name: Name }
  | {
      readonly do: "create" | "remove" | "end";
      readonly pod: "p" | "q";
      readonly late: boolean;
    }
  | { readonly do: "sync" | "restart"; readonly pod: "p" | "q"; readonly late: boolean }
  | { readonly do: "create" | "remove"; readonly pod: keyof typeof others; readonly late: boolean }
  | { readonly do: "force"; readonly pod: "p" | "q" | keyof typeof others }
  | { readonly do: "commit" | "wait" }
  | { readonly do: "deliver" | "expire" };

/** Where a pod mounts a whole ConfigMap, which is a skill if it holds SKILL.md. */
const elsewhere = "/srv/whole";

const podWith = (volumes: readonly Part[], mounts: readonly Part[], more: Part = {}): KubernetesObject =>
  podObject({ volumes, containers: [container("agent", mounts, more)] });

/** Pods that name `x` in other ways than the skill's own: each makes the node keep it. */
const others = {
  key: podWith(
    [volume("v", configMap("x", [["skill.oms.sig", "note"]], { optional: true }))],
    [mount("v", "/opt/note")],
  ),
  env: podWith([], [], { envFrom: [{ configMapRef: { name: "x", optional: true } }] }),
  whole: podWith([volume("v", configMap("x", undefined, { optional: true }))], [mount("v", elsewhere)]),
} as const;

/** `drop` and `evil` concern the key of this number. */
interface Twist {
  readonly kind: "none" | "empty" | "extra" | "drop" | "evil";
  readonly key: number;
}

const templates: ReadonlyMap<string, KubernetesObject> = new Map(Object.entries(others));

const asSigned: Twist = { kind: "none", key: 0 };

/** Contents as an honest publisher or an attacker would write them. */
function contentOf(layout: Layout, name: Name, version: number, twist: Twist): Content {
  const share = (layout.keys[name] ?? []).map((key) => [key, versions[version]?.[key] ?? "note"] as const);
  const data: Record<string, string> = Object.fromEntries(share);
  const [key] = share[twist.key % Math.max(1, share.length)] ?? ["extra.sh"];
  switch (twist.kind) {
    case "none":
      return data;
    case "empty":
      return {};
    case "extra":
      return { ...data, "extra.sh": "evil" };
    case "drop":
      return Object.fromEntries(Object.entries(data).filter(([other]) => other !== key));
    case "evil":
      return { ...data, [key]: `${data[key] ?? ""}# evil` };
  }
}

const twist: fc.Arbitrary<Twist> = fc.record({
  kind: fc.constantFrom("none", "none", "none", "evil", "evil", "evil", "drop", "drop", "empty", "extra"),
  key: fc.nat({ max: 3 }),
});
const name = fc.constantFrom(...objectNames);
const pod = fc.constantFrom("p" as const, "q" as const);
const version = fc.nat({ max: versions.length - 1 });
const late = fc.boolean();
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("put" as const),
      name,
      version,
      twist,
      immutable: fc.boolean(),
      late,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("delete" as const), name }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("watch" as const), name }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("sync" as const), pod, late }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom("create" as const, "remove" as const, "end" as const, "restart" as const),
      pod,
      late,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom(
        "commit" as const,
        "wait" as const,
        "deliver" as const,
        "deliver" as const,
        "expire" as const,
      ),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom("create" as const, "create" as const, "remove" as const),
      pod: fc.constantFrom("key" as const, "env" as const, "whole" as const),
      late,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("force" as const),
      pod: fc.constantFrom("p" as const, "q" as const, "key" as const, "env" as const, "whole" as const),
    }),
  },
);

const otherPod = fc.constantFrom("key" as const, "env" as const, "whole" as const);

/** What happens around an immutable object that is deleted and made anew under pods that have it as something else. */
const stepAround: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("put" as const),
      name: fc.constant("x" as const),
      version: fc.constant(1),
      twist: fc.oneof({ weight: 4, arbitrary: fc.constant(asSigned) }, twist),
      immutable: fc.boolean(),
      late: fc.constant(false),
    }),
  },
  { weight: 4, arbitrary: fc.constant({ do: "delete" as const, name: "x" as const }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("create" as const), pod, late: fc.constant(false) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom("create" as const, "create" as const, "remove" as const),
      pod: otherPod,
      late: fc.constant(false),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("force" as const), pod: otherPod }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("remove" as const), pod, late: fc.constant(false) }) },
  { weight: 3, arbitrary: fc.constant({ do: "deliver" as const }) },
  { weight: 2, arbitrary: fc.constantFrom({ do: "wait" as const }, { do: "expire" as const }) },
);

type NodeStep = Extract<Step, { readonly do: "sync" | "restart" | "watch" | "deliver" | "expire" }>;

async function play(history: History, layout: Layout, one: Step): Promise<void> {
  switch (one.do) {
    case "put":
      await history.put(one.name, contentOf(layout, one.name, one.version, one.twist), one);
      break;
    case "create":
      await history.createPod(one.pod, one.late, templates.get(one.pod));
      break;
    case "remove":
    case "force":
      history.removePod(one.pod, one.do === "force" ? "by force" : "by its node");
      break;
    case "end":
      history.endPod(one.pod);
      break;
    case "delete":
      await history.delete(one.name);
      break;
    case "commit":
      history.commit();
      break;
    case "wait":
      history.wait();
      break;
    default:
      playNode(history, one);
  }
}

function playNode(history: History, one: NodeStep): void {
  switch (one.do) {
    case "sync":
      history.kubelet.sync(one.pod);
      break;
    case "restart":
      history.kubelet.restart(one.pod);
      break;
    case "watch":
      history.kubelet.watch(one.name);
      break;
    case "expire":
      history.expire();
      break;
    case "deliver":
      for (const name of objectNames) history.kubelet.watch(name);
      for (const name of history.pods) history.kubelet.sync(name);
  }
}

function expectSigned({ kubelet, pods, log }: History, folder: string): void {
  const unsigned = [
    ...unsignedTrees(kubelet, pods, folder),
    ...unsignedTrees(kubelet, pods, elsewhere, isOfSignedFiles),
  ];
  expect(unsigned, JSON.stringify(log)).toEqual([]);
}

/** A history that begins with the first version, and a pod that runs it. */
async function begin(
  layout: Layout,
  folder: string,
  optional: boolean,
  immutable: boolean,
): Promise<History> {
  const history = new History(podObject(layout.spec(folder, optional)));
  for (const one of objectNames)
    if (layout.keys[one] !== undefined)
      await history.put(one, contentOf(layout, one, 0, asSigned), { immutable, late: false });
  history.wait();
  await history.createPod("p", false);
  history.kubelet.sync("p");
  // A part of a skill may not be optional: such a pod is denied.
  if (layout.inOneStep || !optional) expect(history.kubelet.containersOf("p")).not.toEqual([]);
  return history;
}

const folder = fc.constantFrom("/root/.claude/skills/s", "/srv/agent/lib/s");

describe("histories of ConfigMaps and pods", () => {
  it.each(layouts)(
    "never show a skill that nobody signed: $name",
    async (layout) => {
      await fc.assert(
        fc.asyncProperty(
          folder,
          fc.record({ optional: fc.boolean(), immutable: fc.boolean(), runsBefore: fc.boolean() }),
          fc.array(step, { minLength: 2, maxLength: 16 }),
          async (at, { optional, immutable, runsBefore }, steps) => {
            const history = await begin(layout, at, optional, immutable);
            if (!runsBefore) history.removePod("p");
            for (const one of steps) {
              await play(history, layout, one);
              expectSigned(history, at);
            }
          },
        ),
        runs(1200),
      );
    },
    300_000,
  );

  it.each(layouts)(
    "never show one that was deleted under pods that have it as something else: $name",
    async (layout) => {
      await fc.assert(
        fc.asyncProperty(
          folder,
          fc.record({ optional: fc.boolean(), first: twist, other: otherPod }),
          fc.array(stepAround, { minLength: 5, maxLength: 14 }),
          async (at, { optional, first, other }, steps) => {
            const history = new History(podObject(layout.spec(at, optional)));
            for (const one of objectNames)
              if (layout.keys[one] !== undefined)
                await history.put(
                  one,
                  contentOf(layout, one, one === "x" ? 0 : 1, one === "x" ? first : asSigned),
                  {
                    immutable: true,
                    late: false,
                  },
                );
            await history.createPod(other, false, others[other]);
            for (const one of steps) {
              await play(history, layout, one);
              expectSigned(history, at);
            }
          },
        ),
        runs(4000),
      );
    },
    300_000,
  );

  it.each(layouts.filter(({ inOneStep }) => inOneStep))(
    "replace a skill by another signed version, also after a deletion: $name",
    async (layout) => {
      await fc.assert(
        fc.asyncProperty(
          folder,
          fc.boolean(),
          fc.array(version, { minLength: 1, maxLength: 4 }),
          async (at, anew, chosen) => {
            const history = await begin(layout, at, false, false);
            for (const one of chosen) {
              if (anew) await history.delete("x");
              await history.put("x", contentOf(layout, "x", one, asSigned), {
                immutable: false,
                late: false,
              });
              history.kubelet.watch("x");
              history.kubelet.sync("p");
              const shown = [...history.kubelet.seen("p", "agent")].filter(([path]) =>
                path.startsWith(`${at}/`),
              );
              expect(treeOf(shown.map(([path, text]) => [path.slice(at.length + 1), text]))).toBe(
                treeOf(Object.entries(versions[one]!)),
              );
            }
          },
        ),
        runs(20),
      );
    },
    120_000,
  );

  const [single] = layouts;
  const immutable = { immutable: true, late: false };

  /** An old `x` that is not signed, and a pod that has it for something else, which may have been deleted. */
  async function carrying(other: keyof typeof others, deleted?: "by force" | "once ended"): Promise<History> {
    const history = new History(podObject(single!.spec("/srv/agent/lib/s", false)));
    await history.put("x", contentOf(single!, "x", 0, { kind: "evil", key: 1 }), immutable);
    await history.createPod(other, false, others[other]);
    history.wait();
    if (deleted !== undefined) history.removePod(other, deleted);
    return history;
  }

  it.each([
    ["one key of it", "key", undefined],
    ["it in variables", "env", undefined],
    ["one key of it, and was deleted by force", "key", "by force"],
    ["one key of it, and was deleted once it had ended", "key", "once ended"],
  ] as const)("an immutable one stays while a pod has %s", async (_, other, deleted) => {
    const history = await carrying(other, deleted);
    await history.delete("x");
    await history.put("x", contentOf(single!, "x", 1, asSigned), immutable);
    await history.createPod("p", false);
    expect(history.pods).not.toContain("p");
    history.removePod(other);
    history.expire();
    await history.delete("x");
    await history.put("x", contentOf(single!, "x", 1, asSigned), immutable);
    await history.createPod("p", false);
    history.kubelet.sync("p");
    expect(history.kubelet.seen("p", "agent").get("/srv/agent/lib/s/a.sh")).toBe(versions[1]!["a.sh"]);
  });

  it.each(["key", "env"] as const)(
    "shows an old one without the reviews, by a pod with %s",
    async (other) => {
      const history = await carrying(other);
      history.force("x", contentOf(single!, "x", 1, asSigned));
      await history.createPod("p", false);
      expect(history.pods).not.toContain("p");
      history.kubelet.add("p", podObject(single!.spec("/srv/agent/lib/s", false)));
      history.kubelet.sync("p");
      expect(unsignedTrees(history.kubelet, ["p"], "/srv/agent/lib/s")).not.toEqual([]);
    },
  );

  it("would show one without the reviews, in every layout", async () => {
    for (const layout of layouts) {
      const history = await begin(layout, "/srv/agent/lib/s", false, false);
      const name = layout.keys["y"]?.includes("a.sh") === true ? "y" : "x";
      history.force(name, contentOf(layout, name, 0, { kind: "evil", key: name === "y" ? 0 : 1 }));
      history.kubelet.watch(name);
      history.kubelet.sync("p");
      history.kubelet.restart("p");
      expect(unsignedTrees(history.kubelet, ["p"], "/srv/agent/lib/s"), layout.name).not.toEqual([]);
    }
  });
});
