import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ModelKubelet } from "../../fixtures/model-kubelet.ts";
import { runs } from "../../fixtures/property-runs.ts";
import { podObject } from "../../fixtures/pods.ts";
import { signedSkill } from "../../fixtures/signed-skill.ts";
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

/** The trees below the skill's folder that containers show and nobody signed. */
function unsignedTrees(kubelet: ModelKubelet, pods: Iterable<string>, folder: string): readonly string[] {
  return [...pods].flatMap((pod) =>
    kubelet.containersOf(pod).flatMap((container) => {
      const inside = [...kubelet.seen(pod, container)].flatMap(([path, text]) =>
        path.startsWith(`${folder}/`) ? [[path.slice(folder.length + 1), text] as const] : [],
      );
      // Outside of skill roots a folder without SKILL.md is none.
      const isSkill = folder.startsWith("/root/")
        ? inside.length > 0
        : inside.some(([path]) => path === "SKILL.md");
      return !isSkill || signedTrees.has(treeOf(inside)) ? [] : [`${pod}/${container}: ${treeOf(inside)}`];
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
  | { readonly do: "delete" | "watch"; readonly name: Name }
  | {
      readonly do: "create" | "remove" | "end" | "sync" | "restart";
      readonly pod: "p" | "q";
      readonly late: boolean;
    }
  | { readonly do: "commit" | "wait" | "deliver" };

/** `drop` and `evil` concern the key of this number. */
interface Twist {
  readonly kind: "none" | "empty" | "extra" | "drop" | "evil";
  readonly key: number;
}

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
      do: fc.constantFrom("commit" as const, "wait" as const, "deliver" as const, "deliver" as const),
    }),
  },
);

async function play(history: History, layout: Layout, one: Step): Promise<void> {
  switch (one.do) {
    case "put":
      await history.put(one.name, contentOf(layout, one.name, one.version, one.twist), one);
      break;
    case "create":
      await history.createPod(one.pod, one.late);
      break;
    case "remove":
      history.removePod(one.pod);
      break;
    case "end":
      history.endPod(one.pod);
      break;
    case "sync":
      history.kubelet.sync(one.pod);
      break;
    case "restart":
      history.kubelet.restart(one.pod);
      break;
    case "delete":
      history.delete(one.name);
      break;
    case "watch":
      history.kubelet.watch(one.name);
      break;
    case "commit":
      history.commit();
      break;
    case "wait":
      history.wait();
      break;
    case "deliver":
      for (const name of objectNames) history.kubelet.watch(name);
      for (const name of history.pods) history.kubelet.sync(name);
  }
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
              expect(unsignedTrees(history.kubelet, history.pods, at), JSON.stringify(history.log)).toEqual(
                [],
              );
            }
          },
        ),
        runs(1200),
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
              if (anew) history.delete("x");
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
