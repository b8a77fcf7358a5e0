import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError } from "../../../../../src/cluster/live/api/client.ts";
import type { Confirmation, Leadership } from "../../../../../src/cluster/live/leader/leadership.ts";
import {
  RegistrationReconciler,
  type RegistrationDeps,
  type CheckedRegistration,
} from "../../../../../src/cluster/live/registration/reconciler.ts";
import { FakeApi } from "../fake-api.ts";
import { everywhere, nowhere, watched as watchedOnly } from "../../../../fixtures/governed.ts";
import type { Governed } from "../../../../../src/policy/coverage.ts";

const path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/skill-admission";
const pem = (word: string) => `-----BEGIN CERTIFICATE-----\n${word}\n-----END CERTIFICATE-----\n`;

/** Leads or not as it is told. */
class FakeLeadership implements Leadership {
  leads = true;
  certain = true;
  unregistered: string | undefined;
  cleared = 0;
  readonly signal = new AbortController();
  campaign = () => undefined;
  onChange = () => undefined;
  close = () => Promise.resolve();
  leadingSignal = () => (this.leads ? this.signal.signal : undefined);
  confirm = (): Promise<Confirmation | undefined> =>
    Promise.resolve(
      this.leads && this.certain
        ? { leadingSignal: this.signal.signal, unregistered: this.unregistered }
        : undefined,
    );
  clearUnregistered = () => {
    this.cleared += 1;
    this.unregistered = undefined;
    return Promise.resolve();
  };
}

let api: FakeApi;
let leadership: FakeLeadership;
let reconciler: RegistrationReconciler;
let caBundle: string;
let governed: Governed;
const problems: string[] = [];
const states: boolean[] = [];
let repairs: number;

function reconcilerWith(more: Partial<RegistrationDeps> = {}): RegistrationReconciler {
  return new RegistrationReconciler({
    client: api,
    hooks: { onProblem: (message) => problems.push(message), onRepair: () => (repairs += 1) },
    leadership,
    options: () =>
      Promise.resolve({
        address: { service: { namespace: "n", name: "s", port: 443 } },
        caBundle,
        governed,
        bindings: nowhere,
      }),
    onState: (registered) => states.push(registered),
    writeInterval: 0,
    ...more,
  });
}

/** What the watch would show now. */
function watched(): void {
  const present = api.objects.get(path);
  if (present === undefined) reconciler.sink.delete("skill-admission");
  else reconciler.sink.set("skill-admission", present);
  reconciler.sink.settled();
}

async function look(): Promise<void> {
  watched();
  await reconciler.assert();
}

/** Changes the first webhook as somebody else would. */
function weaken(change: object = { failurePolicy: "Ignore" }): void {
  const present = api.objects.get(path)!;
  const [first, ...others] = present["webhooks"] as readonly object[];
  const fields = Object.fromEntries(Object.keys(change).map((field) => [`f:${field}`, {}]));
  const managedFields = [
    {
      manager: "kubectl-edit",
      operation: "Update",
      time: "2026-01-01T00:00:00Z",
      fieldsV1: { "f:webhooks": { 'k:{"name":"pods.skill-admission.dev"}': fields } },
    },
  ];
  const metadata = { ...(present.metadata as object), managedFields };
  api.put(path, { ...present, metadata, webhooks: [{ ...first, ...change }, ...others] });
}

beforeEach(() => {
  api = new FakeApi();
  leadership = new FakeLeadership();
  caBundle = pem("one");
  governed = everywhere;
  problems.length = 0;
  states.length = 0;
  repairs = 0;
  reconciler = reconcilerWith();
});

afterEach(() => reconciler.close());

describe("RegistrationReconciler", () => {
  it("writes nothing before the watch has said what is there", async () => {
    await reconciler.assert();
    expect(api.written()).toEqual([]);
    await look();
    expect(api.objects.get(path)).toMatchObject({ kind: "ValidatingWebhookConfiguration" });
    expect([reconciler.problem, problems, states]).toEqual([undefined, [], [true]]);
  });

  it("names the Namespace that it goes with, and names it again when somebody takes that away", async () => {
    const owner = { name: "n", uid: "11111111-2222-3333-4444-555555555555" };
    const address = { service: { namespace: "n", name: "s", port: 443 } };
    reconciler = reconcilerWith({
      options: () => Promise.resolve({ address, caBundle, owner, governed, bindings: nowhere }),
    });
    await look();
    const ownerReferences = [{ apiVersion: "v1", kind: "Namespace", ...owner }];
    const present = api.objects.get(path)!;
    expect(present.metadata).toMatchObject({ ownerReferences });
    // Another owner, of an installation before, is none of our business: the garbage collector takes it out.
    const both = [{ apiVersion: "v1", kind: "Namespace", name: "n", uid: "0" }, ...ownerReferences];
    api.objects.set(path, {
      ...present,
      metadata: { ...(present.metadata as object), ownerReferences: both },
    });
    const { length } = api.written();
    await look();
    expect(api.written()).toHaveLength(length);
    api.objects.set(path, { ...present, metadata: { ...(present.metadata as object), ownerReferences: [] } });
    await look();
    expect(api.objects.get(path)?.metadata).toMatchObject({ ownerReferences });
  });

  it("follows the policies to and fro without calling it a repair", async () => {
    let bindings = nowhere;
    const address = { service: { namespace: "n", name: "s", port: 443 } };
    reconciler = reconcilerWith({
      options: () => Promise.resolve({ address, caBundle, governed, bindings }),
    });
    const names = () =>
      (api.objects.get(path)!["webhooks"] as readonly { readonly name: string }[]).map(({ name }) => name);
    await look();
    const without = names();
    for (const [now, suffix] of [
      [everywhere, ""],
      [watchedOnly, "-observe"],
    ] as const) {
      bindings = now;
      await look();
      expect(names()).toEqual([...without, `bindings${suffix}.skill-admission.dev`]);
    }
    bindings = nowhere;
    await look();
    expect(names()).toEqual(without);
    expect([repairs, problems, reconciler.problem]).toEqual([0, [], undefined]);
  });

  it("writes nothing when all is well, however often it looks", async () => {
    await look();
    const { length } = api.written();
    for (let round = 0; round < 3; round += 1) await look();
    expect(api.written()).toHaveLength(length);
  });

  it("leaves the writing to the leader, and knows when it is done", async () => {
    leadership.leads = false;
    await look();
    expect([api.written(), reconciler.problem, problems]).toEqual([
      [],
      "the leader has not registered the webhook yet",
      [],
    ]);
    leadership.leads = true;
    await look();
    leadership.leads = false;
    await look();
    expect([reconciler.problem, states]).toEqual([undefined, [false, true]]);
  });

  it("writes nothing when its lead turns out to be over", async () => {
    leadership.certain = false;
    await look();
    expect([api.written(), reconciler.problem]).toEqual([[], "the lead is not certain"]);
  });

  it("waits for somebody to be reachable before it registers anew, and not to repair", async () => {
    let reachable = false;
    reconciler = reconcilerWith({ reachable: () => Promise.resolve(reachable) });
    await look();
    expect([api.written(), reconciler.problem]).toEqual([[], "no replica is ready behind the Service yet"]);
    reachable = true;
    await vi.waitFor(() => expect(api.objects.has(path)).toBe(true), 3_000);
    reachable = false;
    api.put(path, { ...api.objects.get(path), webhooks: [] });
    await look();
    expect(api.objects.get(path)?.["webhooks"]).toHaveLength(4);
  });

  it("stays out while it is told to, and says so once", async () => {
    leadership.unregistered = "this";
    reconciler = reconcilerWith({ honoursUnregister: (mark) => Promise.resolve(mark === "this") });
    await look();
    await look();
    expect(api.written()).toEqual([]);
    expect(problems).toEqual([expect.stringContaining("unregistered by an operator")]);
    leadership.unregistered = undefined;
    await look();
    expect([api.objects.has(path), reconciler.problem]).toEqual([true, undefined]);
  });

  it("counts as no repair that it comes back after an operator took it out", async () => {
    reconciler = reconcilerWith({ honoursUnregister: (mark) => Promise.resolve(mark === "this") });
    await look();
    leadership.unregistered = "this";
    api.objects.delete(path);
    await look();
    expect(reconciler.problem).toContain("unregistered by an operator");
    leadership.unregistered = undefined;
    await look();
    expect([api.objects.has(path), reconciler.problem, repairs, problems.length]).toEqual([
      true,
      undefined,
      0,
      1,
    ]);
    api.objects.delete(path);
    await look();
    expect([repairs, problems.length]).toEqual([1, 2]);
  });

  it("takes away what was meant for an installation before, and registers", async () => {
    leadership.unregistered = "before";
    reconciler = reconcilerWith({ honoursUnregister: (mark) => Promise.resolve(mark === "this") });
    await look();
    expect([leadership.cleared, api.objects.has(path)]).toEqual([1, true]);
  });

  it("does not undo what came after what it saw", async () => {
    await look();
    watched();
    // A newer registration that this process has not heard of, as after it was stopped for a while.
    const newer = api.put(path, { ...api.objects.get(path), webhooks: [{ name: "newer" }] });
    caBundle = pem("old");
    await reconciler.assert();
    expect(api.objects.get(path)).toBe(newer);
    expect([problems, reconciler.problem]).toEqual([[], expect.stringContaining("changed meanwhile")]);
  });

  it("says why it cannot register, once, and tries again", async () => {
    vi.useFakeTimers();
    try {
      let refused = true;
      api.before = ({ method }) => {
        if (method === "PATCH" && refused) throw new ApiError(403, "may not patch");
      };
      await look();
      await vi.advanceTimersByTimeAsync(11_000);
      expect(problems).toEqual(["the webhook could not be registered: may not patch"]);
      refused = false;
      await vi.advanceTimersByTimeAsync(6_000);
      expect([reconciler.problem, states]).toEqual([undefined, [false, true]]);
    } finally {
      vi.useRealTimers();
    }
  });

  it("is not registered from the moment that the watch shows a change, leading or not, until that is put back", async () => {
    const writeInterval = 60_000;
    reconciler = reconcilerWith({ writeInterval });
    await look();
    expect([reconciler.problem, repairs]).toEqual([undefined, 0]);
    for (const leads of [true, false]) {
      leadership.leads = leads;
      weaken();
      watched();
      expect(reconciler.problem).toContain("somebody has changed or deleted it");
      leadership.leads = true;
      await reconciler.assert();
      expect(reconciler.problem).toBeUndefined();
    }
    expect([repairs, states]).toEqual([2, [true]]);
  });

  it("names what was changed, by whom, once in a while as long as it is the same", async () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    try {
      await look();
      for (let round = 0; round < 5; round += 1) {
        weaken();
        await look();
      }
      const same = `webhooks[pods.skill-admission.dev].failurePolicy: expected "Fail", found "Ignore" (by "kubectl-edit")`;
      expect([problems, repairs]).toEqual([[expect.stringContaining(same)], 5]);
      weaken({ timeoutSeconds: 1 });
      await look();
      expect(problems).toHaveLength(2);
      expect(problems[1]).toContain("timeoutSeconds: expected 5, found 1");
      weaken({ timeoutSeconds: 1 });
      vi.advanceTimersByTime(10 * 60_000);
      await look();
      expect([problems.length, problems[2]]).toEqual([3, problems[1]]);
    } finally {
      vi.useRealTimers();
    }
  });

  it("says that it was deleted, and counts it", async () => {
    await look();
    api.objects.delete(path);
    await look();
    expect([problems, repairs]).toEqual([[expect.stringContaining("it was deleted")], 1]);
  });

  it("counts as no repair what it writes for reasons of its own, or over what was there before it", async () => {
    api.put(path, { kind: "ValidatingWebhookConfiguration", metadata: {}, webhooks: [] });
    await look();
    caBundle = pem("two") + pem("one");
    await look();
    expect([api.written().length, problems, repairs]).toEqual([2, [], 0]);
  });

  it("does not count what it could not put back", async () => {
    await look();
    weaken();
    api.before = ({ method }) => {
      if (method === "PATCH") throw new ApiError(403, "may not patch");
    };
    await look();
    expect([problems.length, problems[1], repairs]).toEqual([2, expect.stringContaining("may not patch"), 0]);
  });

  it("goes by what the watch shows while it writes, not by the answer to what it wrote before", async () => {
    reconciler = reconcilerWith({ writeInterval: 60_000 });
    await look();
    weaken();
    watched();
    // Changed again after our write, and that is seen before the write's own answer.
    api.before = ({ method }) => {
      if (method === "PATCH")
        queueMicrotask(() => {
          weaken();
          watched();
        });
    };
    await reconciler.assert();
    expect(reconciler.problem).toContain("somebody has changed or deleted it");
    api.before = () => undefined;
    await reconciler.assert();
    expect([reconciler.problem, repairs]).toEqual([undefined, 2]);
  });

  it("tells a follower's operators once that it is registered, however often the leader repairs it", async () => {
    await look();
    reconciler = reconcilerWith();
    states.length = 0;
    leadership.leads = false;
    const good = api.objects.get(path)!;
    for (let round = 0; round < 3; round += 1) {
      api.objects.set(path, good);
      await look();
      expect(reconciler.problem).toBeUndefined();
      weaken();
      await look();
      expect(reconciler.problem).toBe("the leader has not registered the webhook yet");
    }
    expect([states, problems, repairs]).toEqual([[true], [], 0]);
  });

  it("knows which authorities callers trust already", async () => {
    expect(reconciler.published(pem("one"))).toBe(false);
    await look();
    expect([reconciler.published(pem("one")), reconciler.published(pem("two"))]).toEqual([true, false]);
    caBundle = pem("two") + pem("one");
    await look();
    expect(reconciler.published(pem("one") + pem("two"))).toBe(true);
  });

  it("tells what callers trust: nobody knows, nothing, or this", async () => {
    expect(reconciler.registeredBundle()).toBeUndefined();
    leadership.leads = false;
    await look();
    expect(reconciler.registeredBundle()).toBe("");
    leadership.leads = true;
    await look();
    expect(reconciler.registeredBundle()).toBe(pem("one"));
  });

  it("hands the registered bundle to whoever has to keep it", async () => {
    const seen: string[] = [];
    reconciler = reconcilerWith({
      options: (_, registered) => {
        seen.push(registered);
        return Promise.resolve({ address: { url: "https://x" }, caBundle, governed, bindings: nowhere });
      },
    });
    await look();
    await look();
    expect(seen).toEqual(["", pem("one")]);
  });

  describe("without policies", () => {
    beforeEach(() => (governed = nowhere));
    const webhooks = () => api.objects.get(path)?.["webhooks"] as readonly unknown[] | undefined;

    it("keeps an object without webhooks, as the API server stores it, and waits for nobody to trust it", async () => {
      reconciler = reconcilerWith({ reachable: () => Promise.resolve(false) });
      expect(reconciler.published(pem("one"))).toBe(false);
      await look();
      expect(webhooks()).toEqual([]);
      api.put(path, { ...api.objects.get(path), webhooks: undefined });
      const { length } = api.written();
      await look();
      expect(api.written()).toHaveLength(length);
      expect(reconciler.published(pem("one"))).toBe(true);
      expect(reconciler.registeredBundle()).toBe("");
      expect([repairs, problems, reconciler.problem]).toEqual([0, [], undefined]);
    });

    it("registers none before a replica answers, and all that is governed from then on", async () => {
      let answers = false;
      reconciler = reconcilerWith({ reachable: () => Promise.resolve(answers) });
      await look();
      governed = everywhere;
      await look();
      expect([webhooks(), reconciler.problem]).toEqual([[], "no replica is ready behind the Service yet"]);
      answers = true;
      await look();
      expect(webhooks()).not.toEqual([]);
      expect([repairs, problems, reconciler.problem]).toEqual([0, [], undefined]);
    });

    it("takes out what somebody adds, and makes the object again", async () => {
      await look();
      api.put(path, { ...api.objects.get(path)!, webhooks: [{ name: "other.example.com" }] });
      await look();
      expect([webhooks(), repairs]).toEqual([[], 1]);
      api.objects.delete(path);
      await look();
      expect([webhooks(), repairs]).toEqual([[], 2]);
      expect(problems).toEqual([
        expect.stringContaining('webhooks[other.example.com]: expected nothing, found {"name"'),
        expect.stringContaining("it was deleted"),
      ]);
    });
  });

  describe("tells how it stands", () => {
    const standings: CheckedRegistration[] = [];
    beforeEach(() => {
      standings.length = 0;
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    });
    afterEach(() => vi.useRealTimers());
    const follow = () => reconcilerWith({ onStanding: (standing) => standings.push(standing) });
    const told = () => standings.map((one) => ("problem" in one ? one.problem : one.options.governed));

    it("a second after a write, at once where nothing had to be written", async () => {
      reconciler = follow();
      await look();
      await look();
      await vi.advanceTimersByTimeAsync(900);
      expect(told()).toEqual([]);
      await vi.advanceTimersByTimeAsync(200);
      expect(told()).toEqual([everywhere]);
      await look();
      expect(told()).toEqual([everywhere, everywhere]);
    });

    it("why it is not as it should be, at once, and only while it leads", async () => {
      leadership.leads = false;
      reconciler = follow();
      await look();
      expect(told()).toEqual([]);
      leadership.leads = true;
      leadership.unregistered = "this installation";
      reconciler = reconcilerWith({
        onStanding: (standing) => standings.push(standing),
        honoursUnregister: () => Promise.resolve(true),
      });
      await look();
      expect(told()).toEqual([expect.stringContaining("was unregistered by an operator")]);
    });

    it("reads its options again when they are to change", async () => {
      let reads = 0;
      const options = { address: { url: "https://x" }, caBundle, governed, bindings: nowhere };
      reconciler = reconcilerWith({
        options: () => {
          reads += 1;
          return Promise.resolve({ ...options, changesIn: 60_000 });
        },
      });
      await look();
      await vi.advanceTimersByTimeAsync(1_000);
      const before = reads;
      await vi.advanceTimersByTimeAsync(58_000);
      expect(reads).toBe(before);
      await vi.advanceTimersByTimeAsync(3_000);
      expect(reads).toBe(before + 1);
    });
  });
});
