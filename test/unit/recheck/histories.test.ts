import fc from "fast-check";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { runs } from "../../fixtures/property-runs.ts";
import { signedSkill } from "../../fixtures/signed-skill.ts";
import { changed, namespace, policyObject, published } from "../admission/world.ts";
import { replicaSet, StoredWorld } from "./stored-world.ts";

const skills = {
  good: published.skill,
  evil: changed,
  foreign: signedSkill().skill,
  none: undefined,
} as const;
const policies = {
  usual: [policyObject()],
  strict: [policyObject({ evidence: { freshness: "MEDIUM" } })],
  audit: [policyObject({ mode: "Audit" }, "other"), policyObject()],
  nobody: [],
} as const;
const pods = ["a", "b", "c"] as const;
const objects = ["x", "y"] as const;

const step = fc.oneof(
  fc.record({
    do: fc.constant("put" as const),
    skill: fc.constantFrom(...(Object.keys(skills) as (keyof typeof skills)[])),
    name: fc.constantFrom(...objects),
  }),
  fc.record({
    do: fc.constant("create" as const),
    pod: fc.constantFrom(...pods),
    from: fc.constantFrom(...objects),
    owned: fc.boolean(),
  }),
  fc.record({ do: fc.constant("delete" as const), pod: fc.constantFrom(...pods) }),
  fc.record({
    do: fc.constant("govern" as const),
    by: fc.constantFrom(...(Object.keys(policies) as (keyof typeof policies)[])),
  }),
  fc.record({ do: fc.constant("label" as const), tenant: fc.constantFrom("payments", "none") }),
  fc.record({ do: fc.constant("wait" as const), turns: fc.nat(30) }),
);

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** Does it, and returns what a watch brings of it. */
function play(world: StoredWorld, one: Step): (() => void) | undefined {
  switch (one.do) {
    case "put":
      return world.put(skills[one.skill], one.name);
    case "create":
      if (world.pods.has(`${namespace}/${one.pod}`)) return undefined;
      return world.create(one.pod, published.skill, {
        from: one.from,
        ...(one.owned ? { owner: replicaSet(one.from) } : {}),
      });
    case "delete":
      return world.delete(one.pod);
    case "govern":
      world.govern(...policies[one.by]);
      return undefined;
    case "label":
      world.labels.set(namespace, { tenant: one.tenant });
      world.recheck.namespaceChanged(namespace);
      return undefined;
    case "wait":
      return undefined;
  }
}

/** Two watches, each of which brings what it shows in order, and neither waits for the other. */
class Watches {
  readonly #queues: Record<"pods" | "configMaps", (() => void)[]> = { pods: [], configMaps: [] };

  add(one: Step, event: (() => void) | undefined): void {
    if (event !== undefined) this.#queues[one.do === "put" ? "configMaps" : "pods"].push(event);
  }

  /** Brings up to that many events of one of them. */
  bring(of: "pods" | "configMaps", most = Infinity): void {
    for (const event of this.#queues[of].splice(0, most)) event();
  }
}

/** What is stored, by name. */
interface Present {
  readonly stored: Map<string, keyof typeof skills>;
  readonly mounts: Map<string, { readonly uid: string; readonly from: string }>;
}

function note(one: Step, world: StoredWorld, { stored, mounts }: Present): void {
  if (one.do === "put") stored.set(one.name, one.skill);
  if (one.do === "delete") mounts.delete(one.pod);
  if (one.do !== "create" || mounts.has(one.pod)) return;
  const { uid } = world.pods.get(`${namespace}/${one.pod}`)!.metadata as { uid: string };
  mounts.set(one.pod, { uid, from: one.from });
}

const lags = fc.array(fc.tuple(fc.nat(2), fc.nat(2)), { minLength: 12, maxLength: 12 });

describe("after any history", () => {
  it("the counts are those of a judgement of everything anew", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), lags, async (steps, lag) => {
        const world = new StoredWorld().start();
        const watches = new Watches();
        try {
          for (const [at, one] of steps.entries()) {
            watches.add(one, play(world, one));
            watches.bring("pods", lag[at]?.[0]);
            watches.bring("configMaps", lag[at]?.[1]);
            for (let turns = one.do === "wait" ? one.turns : 0; turns > 0; turns -= 1) await turn();
          }
          watches.bring("configMaps");
          watches.bring("pods");
          await world.stands(await world.judgedAnew());
        } finally {
          await world.stop();
        }
      }),
      runs(200),
    );
  });

  it("every pod is named that was there while something did not comply, whatever came into sight first", async () => {
    const moves = fc.array(step, { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(moves, lags, async (steps, lag) => {
        const world = new StoredWorld().start();
        const watches = new Watches();
        const stored = new Map<string, keyof typeof skills>();
        const mounts = new Map<string, { readonly uid: string; readonly from: string }>();
        const exposed = new Set<string>();
        try {
          for (const [at, one] of steps.entries()) {
            if (one.do === "govern" || one.do === "label") continue;
            watches.add(one, play(world, one.do === "create" ? { ...one, owned: false } : one));
            note(one, world, { stored, mounts });
            for (const { uid, from } of mounts.values())
              if (["evil", "foreign"].includes(stored.get(from) ?? "none")) exposed.add(uid);
            watches.bring("pods", lag[at]?.[0]);
            watches.bring("configMaps", lag[at]?.[1]);
            for (let turns = one.do === "wait" ? one.turns : 0; turns > 0; turns -= 1) await turn();
          }
          watches.bring("configMaps");
          watches.bring("pods");
          // Of a pod that goes before it is judged it is not known whether it read what is stored now.
          const there = new Set(mounts.values().map(({ uid }) => uid));
          const named = () =>
            new Set(
              world.notices
                .map(({ workload: { uid } }) => uid)
                .filter((uid) => uid !== undefined && (exposed.has(uid) || there.has(uid))),
            );
          await vi.waitFor(() => expect(named()).toEqual(exposed), { timeout: 20_000, interval: 1 });
          await world.stands(await world.judgedAnew());
          expect(named()).toEqual(exposed);
        } finally {
          await world.stop();
        }
      }),
      runs(200),
    );
  });
});
