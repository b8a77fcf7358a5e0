import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { soleLeader } from "../../../../../src/cluster/live/leader/leadership.ts";
import { textsOf } from "../../../../../src/cluster/live/status/registered.ts";
import { createStatusWriter, type StatusWriter } from "../../../../../src/cluster/live/status/writer.ts";
import type { KubernetesObject } from "../../../../../src/kubernetes/object.ts";
import { everything } from "../../../../../src/kubernetes/selection.ts";
import { governedBy } from "../../../../../src/policy/coverage.ts";
import { compileObjects } from "../../../../fixtures/compile.ts";
import { clusterSkillPolicy } from "../../../../fixtures/resources.ts";
import { publishers } from "../../../policy/resource-cases.ts";
import { FakeApi } from "../fake-api.ts";

const names = ["a", "b", "c"];
/** Names whose metadata were read: whenever a status is made anew. */
let made: string[];
let api: FakeApi;
let writer: StatusWriter;
let stored: KubernetesObject[];
let compiled: ReturnType<typeof compileObjects>;

/** As a watch shows it, with metadata that tell when they are looked at. */
function watched(object: KubernetesObject): KubernetesObject {
  return Object.defineProperty({ ...object }, "metadata", {
    enumerable: true,
    get: () => {
      made.push((object.metadata as { readonly name: string }).name);
      return object.metadata;
    },
  });
}

const update = (): void =>
  writer.update({ ClusterSkillPolicy: stored, SkillTrustRoot: [], SkillRevocationList: [] }, compiled);
const registration = () =>
  ({ governed: textsOf(governedBy(compiled.policies)), scope: everything, failurePolicy: "Fail" }) as const;

/** What was written comes back as the watch would show it. */
function comesBack(name: string): void {
  const patch = api.asked.findLast(({ path }) => path.includes(`/${name}/status`));
  const { status } = patch?.body as { readonly status: object };
  const at = names.indexOf(name);
  const plain = clusterSkillPolicy(name, { publishers });
  stored[at] = watched({ ...plain, metadata: { name, generation: 1, resourceVersion: "2" }, status });
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance"] });
  made = [];
  api = new FakeApi();
  api.before = () => undefined;
  const objects = names.map((name) => clusterSkillPolicy(name, { publishers }));
  compiled = compileObjects(objects, []);
  stored = objects.map((object, at) =>
    watched({ ...object, metadata: { name: names[at], generation: 1, resourceVersion: "1" } }),
  );
  writer = createStatusWriter(api, { onProblem: () => undefined }, soleLeader());
});
afterEach(async () => {
  await writer.close();
  vi.useRealTimers();
});

/** Waits until so many writes have been asked for in all. */
const asked = (count: number) => vi.waitFor(() => expect(api.asked).toHaveLength(count));

/** Registers, writes every status, and has each come back. */
async function settle(): Promise<void> {
  const before = api.asked.length;
  writer.setRegistration(registration());
  update();
  await asked(before + 3);
  for (const name of names) comesBack(name);
  update();
  made.length = 0;
}

describe("createStatusWriter", () => {
  it("writes each status once, and makes those that are as they should be no more", async () => {
    await settle();
    update();
    writer.setRegistration(registration());
    expect(made).toEqual([]);
  });

  it("makes those anew that somebody changed, and writes them again", async () => {
    await settle();
    stored[1] = watched({
      ...clusterSkillPolicy("b", { publishers }),
      metadata: { name: "b", generation: 1, resourceVersion: "3" },
      status: { conditions: [] },
    });
    update();
    expect([...new Set(made)]).toEqual(["b"]);
    await asked(4);
    expect(api.asked.slice(3).map(({ path }) => path)).toEqual([expect.stringContaining("/b/status")]);
  });

  it("makes all of them anew where the webhook is registered otherwise, and writes them", async () => {
    await settle();
    writer.setRegistration({ problem: "unregistered" });
    expect([...new Set(made)]).toEqual(names);
    await asked(6);
  });

  it("makes all of them anew for other policies, and after a minute, since some of it depends on the time", async () => {
    await settle();
    compiled = { ...compiled };
    update();
    expect([...new Set(made)]).toEqual(names);
    made.length = 0;
    vi.advanceTimersByTime(61_000);
    update();
    expect([...new Set(made)]).toEqual(names);
  });
});
