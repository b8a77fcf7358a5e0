import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { createCandidate, electionDefaults } from "../../../../../src/cluster/live/leader/election.ts";
import { soleLeader, type Leadership } from "../../../../../src/cluster/live/leader/leadership.ts";
import { FakeLease, FakeTime, settled } from "./lease-fakes.ts";
import { runs } from "../../../../fixtures/property-runs.ts";

const { duration, deadline, retry } = electionDefaults;
const opened: Leadership[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()));
});

function candidate(
  lease: FakeLease,
  time: FakeTime,
  {
    identity = "a",
    random = 0,
    wallClock = 0,
  }: { identity?: string; random?: number; wallClock?: number } = {},
) {
  const store = lease.client();
  const clock = time.clock(random, wallClock);
  const problems: unknown[] = [];
  const changes: boolean[] = [];
  const leadership = createCandidate({
    store,
    identity,
    clock,
    onProblem: (problem) => problems.push(problem),
  });
  leadership.onChange(() => changes.push(leadership.leadingSignal() !== undefined));
  opened.push(leadership);
  return {
    store,
    clock,
    leadership,
    problems,
    changes,
    leads: () => leadership.leadingSignal() !== undefined,
  };
}

async function started(lease: FakeLease, time: FakeTime, options?: Parameters<typeof candidate>[2]) {
  const one = candidate(lease, time, options);
  one.leadership.campaign();
  await settled();
  return one;
}

const holderOf = ({ stored }: FakeLease): string | undefined => stored?.record.holder;
const soon = (): AbortSignal => AbortSignal.timeout(5_000);

describe("createCandidate", () => {
  it("knows when the Lease was last renewed before it took the lead", async () => {
    const lease = new FakeLease();
    const alone = await started(lease, new FakeTime());
    expect(alone.leadership.ledBefore?.()).toBeUndefined();
    const renewTime = "2026-11-30T08:00:00.000000Z";
    lease.put({ holder: "", durationSeconds: 1, transitions: 1, renewTime });
    const next = await started(lease, new FakeTime(), { identity: "b" });
    expect(next.leadership.ledBefore?.()).toBe(renewTime);
  });

  it("leads at once, where nobody does, and says so in the Lease", async () => {
    const lease = new FakeLease();
    const a = await started(lease, new FakeTime());
    expect(a.leads()).toBe(true);
    expect(a.changes).toEqual([true]);
    expect(lease.stored?.record).toEqual({
      holder: "a",
      durationSeconds: 15,
      acquireTime: "1970-01-01T00:00:00.000000Z",
      renewTime: "1970-01-01T00:00:00.000000Z",
      transitions: 0,
    });
  });

  it("does not lead before it stands", async () => {
    const lease = new FakeLease();
    const a = candidate(lease, new FakeTime());
    await settled();
    expect([a.leads(), lease.stored]).toEqual([false, undefined]);
  });

  it("renews every two seconds, and keeps the lead for as long as it does", async () => {
    const [lease, time] = [new FakeLease(), new FakeTime()];
    const a = await started(lease, time);
    const b = await started(lease, time, { identity: "b" });
    await time.pass(60_000, () => expect([a.leads(), b.leads()]).toEqual([true, false]));
    expect(lease.writes).toBeGreaterThanOrEqual(60_000 / retry);
    expect(lease.stored?.record).toMatchObject({
      acquireTime: "1970-01-01T00:00:00.000000Z",
      transitions: 0,
    });
    expect(a.changes).toEqual([true]);
  });

  it("takes over from one that is gone, after the Lease's duration and not before", async () => {
    const [lease, time] = [new FakeLease(), new FakeTime()];
    const a = await started(lease, time);
    const b = await started(lease, time, { identity: "b" });
    a.clock.stopped = true;
    await time.pass(duration - 100, () => expect(b.leads()).toBe(false));
    await time.pass(2 * retry + 200);
    expect(b.leads()).toBe(true);
    expect(lease.stored?.record).toMatchObject({ holder: "b", transitions: 1 });
  });

  it("counts by its own clock what another machine wrote by a wrong one", async () => {
    for (const wallClock of [-86_400_000, 86_400_000]) {
      const [lease, time] = [new FakeLease(), new FakeTime()];
      await started(lease, time, { wallClock });
      const b = await started(lease, time, { identity: "b" });
      await time.pass(60_000, () => expect(b.leads()).toBe(false));
    }
  });

  it("stops leading before anybody else may, when it cannot renew", async () => {
    const [lease, time] = [new FakeLease(), new FakeTime()];
    const a = await started(lease, time);
    const b = await started(lease, time, { identity: "b" });
    const leadingSignal = a.leadership.leadingSignal();
    a.store.reachable = false;
    await time.pass(deadline + 100);
    expect([a.leads(), b.leads(), leadingSignal?.aborted]).toEqual([false, false, true]);
    expect(a.changes).toEqual([true, false]);
    expect(a.problems.map(String)).toEqual(["Error: no route to the API server"]);
    await time.pass(duration, () => expect(a.leads() && b.leads()).toBe(false));
    expect(b.leads()).toBe(true);
  });

  it("knows that it does not lead any more the moment that it goes on after a stop", async () => {
    const [lease, time] = [new FakeLease(), new FakeTime()];
    const a = await started(lease, time);
    const b = await started(lease, time, { identity: "b" });
    const leadingSignal = a.leadership.leadingSignal();
    a.clock.stopped = true;
    await time.pass(30_000);
    // Nothing of it has run since; what asks first gets the right answer.
    expect(b.leads()).toBe(true);
    expect([a.leads(), leadingSignal?.aborted]).toEqual([false, true]);
    a.clock.stopped = false;
    await time.pass(10_000);
    expect([a.leads(), b.leads()]).toEqual([false, true]);
  });

  it("hands over at once, when it is closed", async () => {
    const [lease, time] = [new FakeLease(), new FakeTime()];
    const a = await started(lease, time);
    const b = await started(lease, time, { identity: "b" });
    const leadingSignal = a.leadership.leadingSignal();
    await a.leadership.close();
    expect([a.leads(), leadingSignal?.aborted, lease.stored?.record.holder]).toEqual([false, true, ""]);
    await time.pass(2 * retry);
    expect(b.leads()).toBe(true);
    expect(lease.stored?.record.transitions).toBe(1);
  });

  it("does not give up what another one holds, when it is closed", async () => {
    const [lease, time] = [new FakeLease(), new FakeTime()];
    const a = await started(lease, time);
    const record = { holder: "b", durationSeconds: 15, transitions: 1 };
    lease.put(record);
    await a.leadership.close();
    expect(lease.stored?.record).toEqual(record);
  });

  it("keeps the lead, when a renewal was written but its answer lost", async () => {
    const [lease, time] = [new FakeLease(), new FakeTime()];
    const a = await started(lease, time);
    a.store.losesAnswers = true;
    await time.pass(retry);
    a.store.losesAnswers = false;
    await time.pass(10 * retry, () => expect(a.leads()).toBe(true));
    expect(lease.stored?.record.transitions).toBe(0);
  });

  it("gives way to one that took the Lease, and comes to lead again when that one is gone", async () => {
    const [lease, time] = [new FakeLease(), new FakeTime()];
    const a = await started(lease, time);
    lease.put({ holder: "b", durationSeconds: 5, transitions: 1 });
    await time.pass(retry);
    expect(a.leads()).toBe(false);
    await time.pass(5_000 + 2 * retry);
    expect(a.leads()).toBe(true);
    expect(a.changes).toEqual([true, false, true]);
  });

  it("waits five minutes for a Lease of a year, and no longer", async () => {
    const [lease, time] = [new FakeLease(), new FakeTime()];
    lease.put({ holder: "b", durationSeconds: 31_536_000, transitions: 0 });
    const a = await started(lease, time);
    await time.pass(299_000, () => expect(a.leads()).toBe(false));
    await time.pass(5_000);
    expect(a.leads()).toBe(true);
  });

  it("makes the Lease anew, when somebody deletes it", async () => {
    const [lease, time] = [new FakeLease(), new FakeTime()];
    const a = await started(lease, time);
    lease.stored = undefined;
    await time.pass(2 * retry);
    expect([a.leads(), holderOf(lease)]).toEqual([true, "a"]);
  });

  describe("confirm", () => {
    it("renews, and says what mark stands on the Lease", async () => {
      const [lease, time] = [new FakeLease(), new FakeTime()];
      const a = await started(lease, time);
      const writes = lease.writes;
      expect(await a.leadership.confirm(soon())).toEqual({
        leadingSignal: a.leadership.leadingSignal(),
        unregistered: undefined,
      });
      expect(lease.writes).toBe(writes + 1);
      lease.put({ ...lease.stored!.record, unregistered: "uid" });
      expect((await a.leadership.confirm(soon()))?.unregistered).toBe("uid");
      expect(lease.stored?.record).toMatchObject({ holder: "a", unregistered: "uid" });
    });

    it("is no answer for who follows, who was overtaken, or who reaches nobody", async () => {
      const [lease, time] = [new FakeLease(), new FakeTime()];
      const a = await started(lease, time);
      const b = await started(lease, time, { identity: "b" });
      expect(await b.leadership.confirm(soon())).toBeUndefined();
      a.store.reachable = false;
      expect(await a.leadership.confirm(soon())).toBeUndefined();
      expect(a.leads()).toBe(true);
      a.store.reachable = true;
      lease.put({ holder: "b", durationSeconds: 15, transitions: 1 });
      expect(await a.leadership.confirm(soon())).toBeUndefined();
      expect(a.leads()).toBe(false);
    });
  });

  it("tells of a mark that comes and goes, and takes it away on request", async () => {
    const [lease, time] = [new FakeLease(), new FakeTime()];
    const a = await started(lease, time);
    lease.put({ ...lease.stored!.record, unregistered: "uid" });
    await time.pass(retry);
    expect(a.changes).toEqual([true, true]);
    await a.leadership.clearUnregistered(soon());
    expect(lease.stored?.record.unregistered).toBeUndefined();
    expect(a.changes).toEqual([true, true, true]);
  });

  it("never has two leaders, whoever is stopped or cut off, and has one again soon after", async () => {
    const step = fc.record({
      who: fc.nat(2),
      what: fc.constantFrom("stop", "go on", "cut off", "reconnect"),
      then: fc.integer({ min: 100, max: 20_000 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const [lease, time] = [new FakeLease(), new FakeTime()];
        const all = await Promise.all(
          ["a", "b", "c"].map((identity, index) =>
            started(lease, time, { identity, random: index / 3, wallClock: index * 3_600_000 }),
          ),
        );
        const atMostOne = (): void => expect(all.filter(({ leads }) => leads()).length).toBeLessThan(2);
        for (const { who, what, then } of steps) {
          const one = all[who]!;
          if (what === "stop" || what === "go on") one.clock.stopped = what === "stop";
          else one.store.reachable = what === "reconnect";
          await time.pass(then, atMostOne);
        }
        for (const one of all) {
          one.clock.stopped = false;
          one.store.reachable = true;
        }
        await time.pass(duration + 2 * retry + 200, atMostOne);
        expect(all.filter(({ leads }) => leads())).toHaveLength(1);
        await Promise.all(all.map(({ leadership }) => leadership.close()));
      }),
      runs(25),
    );
  });
});

describe("soleLeader", () => {
  it("leads without asking anybody", async () => {
    const sole = soleLeader();
    sole.campaign();
    expect(sole.leadingSignal()?.aborted).toBe(false);
    expect(await sole.confirm(soon())).toEqual({
      leadingSignal: sole.leadingSignal(),
      unregistered: undefined,
    });
    await sole.close();
  });
});
