import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError } from "../../../src/cluster/live/api-client.ts";
import type { Confirmation, Leadership } from "../../../src/cluster/live/leadership.ts";
import { RegistrationKeeper, type RegistrationDeps } from "../../../src/cluster/live/registration-keeper.ts";
import { FakeApi } from "./fake-api.ts";

const path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/skill-admission";
const pem = (word: string) => `-----BEGIN CERTIFICATE-----\n${word}\n-----END CERTIFICATE-----\n`;

/** Leads or not as it is told. */
class FakeLeadership implements Leadership {
  leads = true;
  certain = true;
  unregistered: string | undefined;
  cleared = 0;
  readonly signal = new AbortController();
  stand = () => undefined;
  onChange = () => undefined;
  close = () => Promise.resolve();
  term = () => (this.leads ? this.signal.signal : undefined);
  confirm = (): Promise<Confirmation | undefined> =>
    Promise.resolve(
      this.leads && this.certain ? { term: this.signal.signal, unregistered: this.unregistered } : undefined,
    );
  clearUnregistered = () => {
    this.cleared += 1;
    this.unregistered = undefined;
    return Promise.resolve();
  };
}

let api: FakeApi;
let leadership: FakeLeadership;
let keeper: RegistrationKeeper;
let caBundle: string;
const problems: string[] = [];
const states: boolean[] = [];

function keep(more: Partial<RegistrationDeps> = {}): RegistrationKeeper {
  return new RegistrationKeeper({
    client: api,
    hooks: { onProblem: (message) => problems.push(message) },
    leadership,
    options: () =>
      Promise.resolve({ address: { service: { namespace: "n", name: "s", port: 443 } }, caBundle }),
    onState: (registered) => states.push(registered),
    writeInterval: 0,
    ...more,
  });
}

/** What the watch would show now. */
function watched(): void {
  const present = api.objects.get(path);
  if (present === undefined) keeper.sink.delete("skill-admission");
  else keeper.sink.set("skill-admission", present);
  keeper.sink.settled();
}

async function look(): Promise<void> {
  watched();
  await keeper.assert();
}

beforeEach(() => {
  api = new FakeApi();
  leadership = new FakeLeadership();
  caBundle = pem("one");
  problems.length = 0;
  states.length = 0;
  keeper = keep();
});

afterEach(() => keeper.close());

describe("RegistrationKeeper", () => {
  it("writes nothing before the watch has said what is there", async () => {
    await keeper.assert();
    expect(api.written()).toEqual([]);
    await look();
    expect(api.objects.get(path)).toMatchObject({ kind: "ValidatingWebhookConfiguration" });
    expect([keeper.problem, problems, states]).toEqual([undefined, [], [true]]);
  });

  it("names the Namespace that it goes with, and names it again when somebody takes that away", async () => {
    const owner = { name: "n", uid: "11111111-2222-3333-4444-555555555555" };
    const address = { service: { namespace: "n", name: "s", port: 443 } };
    keeper = keep({ options: () => Promise.resolve({ address, caBundle, owner }) });
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

  it("writes nothing when all is well, however often it looks", async () => {
    await look();
    const { length } = api.written();
    for (let round = 0; round < 3; round += 1) await look();
    expect(api.written()).toHaveLength(length);
  });

  it("leaves the writing to the leader, and knows when it is done", async () => {
    leadership.leads = false;
    await look();
    expect([api.written(), keeper.problem, problems]).toEqual([
      [],
      "the leader has not registered the webhook yet",
      [],
    ]);
    leadership.leads = true;
    await look();
    leadership.leads = false;
    await look();
    expect([keeper.problem, states]).toEqual([undefined, [false, true]]);
  });

  it("writes nothing when its lead turns out to be over", async () => {
    leadership.certain = false;
    await look();
    expect([api.written(), keeper.problem]).toEqual([[], "the lead is not certain"]);
  });

  it("waits for somebody to be reachable before it registers anew, and not to repair", async () => {
    let reachable = false;
    keeper = keep({ reachable: () => Promise.resolve(reachable) });
    await look();
    expect([api.written(), keeper.problem]).toEqual([[], "no replica is ready behind the Service yet"]);
    reachable = true;
    await vi.waitFor(() => expect(api.objects.has(path)).toBe(true), 3_000);
    reachable = false;
    api.put(path, { ...api.objects.get(path), webhooks: [] });
    await look();
    expect(api.objects.get(path)?.["webhooks"]).toHaveLength(3);
  });

  it("stays out while it is told to, and says so once", async () => {
    leadership.unregistered = "this";
    keeper = keep({ heeds: (mark) => Promise.resolve(mark === "this") });
    await look();
    await look();
    expect(api.written()).toEqual([]);
    expect(problems).toEqual([expect.stringContaining("unregistered by an operator")]);
    leadership.unregistered = undefined;
    await look();
    expect([api.objects.has(path), keeper.problem]).toEqual([true, undefined]);
  });

  it("takes away what was meant for an installation before, and registers", async () => {
    leadership.unregistered = "before";
    keeper = keep({ heeds: (mark) => Promise.resolve(mark === "this") });
    await look();
    expect([leadership.cleared, api.objects.has(path)]).toEqual([1, true]);
  });

  it("does not undo what came after what it saw", async () => {
    await look();
    watched();
    // A newer registration that this process has not heard of, as after it was stopped for a while.
    const newer = api.put(path, { ...api.objects.get(path), webhooks: [{ name: "newer" }] });
    caBundle = pem("old");
    await keeper.assert();
    expect(api.objects.get(path)).toBe(newer);
    expect([problems, keeper.problem]).toEqual([[], expect.stringContaining("changed meanwhile")]);
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
      expect([keeper.problem, states]).toEqual([undefined, [false, true]]);
    } finally {
      vi.useRealTimers();
    }
  });

  it("knows which authorities callers trust already", async () => {
    expect(keeper.published(pem("one"))).toBe(false);
    await look();
    expect([keeper.published(pem("one")), keeper.published(pem("two"))]).toEqual([true, false]);
    caBundle = pem("two") + pem("one");
    await look();
    expect(keeper.published(pem("one") + pem("two"))).toBe(true);
  });

  it("tells what callers trust: nobody knows, nothing, or this", async () => {
    expect(keeper.registeredBundle()).toBeUndefined();
    leadership.leads = false;
    await look();
    expect(keeper.registeredBundle()).toBe("");
    leadership.leads = true;
    await look();
    expect(keeper.registeredBundle()).toBe(pem("one"));
  });

  it("hands the registered bundle to whoever has to keep it", async () => {
    const seen: string[] = [];
    keeper = keep({
      options: (_, registered) => {
        seen.push(registered);
        return Promise.resolve({ address: { url: "https://x" }, caBundle });
      },
    });
    await look();
    await look();
    expect(seen).toEqual(["", pem("one")]);
  });
});
