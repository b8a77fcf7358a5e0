import { setImmediate as tick } from "node:timers/promises";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { certificateProblems } from "../../../../src/server/certificates/certificate-source.ts";
import { lifetimes } from "../../../../src/server/certificates/rotation.ts";
import {
  retryDelay,
  startSelfIssued,
  type Clock,
  type SelfIssuedOptions,
} from "../../../../src/server/certificates/self-issued.ts";
import { createMemoryStore, type CertificateStore } from "../../../../src/server/certificates/store.ts";

const start = Date.UTC(2026, 0, 1);
const day = 86_400_000;

/** A clock that stands still; `wake` moves it to the end of the pending sleep. */
function fakeClock(): Clock & { time: number; readonly slept: number[]; wake(): Promise<void> } {
  const waiting: (() => void)[] = [];
  const clock = {
    time: start,
    slept: [] as number[],
    now: () => clock.time,
    sleep: (milliseconds: number, signal: AbortSignal) =>
      new Promise<void>((resolve, reject) => {
        clock.slept.push(milliseconds);
        const end = (): void => {
          clock.time += milliseconds;
          resolve();
        };
        waiting.push(end);
        signal.addEventListener("abort", () => {
          waiting.splice(0, waiting.length, ...waiting.filter((one) => one !== end));
          reject(signal.reason as Error);
        });
      }),
    /** Ends the pending sleep, and waits for the next one. */
    async wake() {
      while (waiting.length === 0) await tick();
      const before = clock.slept.length;
      waiting.shift()?.();
      while (clock.slept.length === before) await tick();
    },
  };
  return clock;
}

/** A store that fails as long as `failing` is set. */
function failingStore(): CertificateStore & { failing: boolean; loads: number } {
  const inner = createMemoryStore();
  const store = {
    failing: true,
    loads: 0,
    load: (signal: AbortSignal) => {
      store.loads += 1;
      return store.failing ? Promise.reject(new Error("the store is down")) : inner.load(signal);
    },
    save: (...saved: Parameters<CertificateStore["save"]>) => inner.save(...saved),
  };
  return store;
}

describe("startSelfIssued", () => {
  let ended: AbortController;
  let reported: unknown[];
  let clock: ReturnType<typeof fakeClock>;
  beforeEach(() => {
    ended = new AbortController();
    reported = [];
    clock = fakeClock();
  });
  afterEach(() => ended.abort());
  const optionsFor = (store: CertificateStore): SelfIssuedOptions => ({
    names: ["a.svc"],
    store,
    clock,
    signal: ended.signal,
    report: (problem) => reported.push(problem),
  });

  it("gives replicas that start at once the same certificate", async () => {
    const store = createMemoryStore();
    const sources = await Promise.all([1, 2, 3, 4].map(() => startSelfIssued(optionsFor(store))));
    expect(new Set(sources.map((source) => source.current().cert)).size).toBe(1);
    expect(reported).toEqual([]);
  });

  it("waits for a store that fails, with growing pauses, and says so", async () => {
    const store = failingStore();
    const starting = startSelfIssued(optionsFor(store));
    await clock.wake();
    await clock.wake();
    store.failing = false;
    await clock.wake();
    expect(clock.slept.slice(0, 3)).toEqual([1000, 2000, 4000]);
    expect(reported.map(String)).toEqual(Array(3).fill("Error: the store is down"));
    expect((await starting).current().notAfter).toBeGreaterThan(start);
  });

  it("gives up waiting, when it is told to end", async () => {
    const starting = startSelfIssued(optionsFor(failingStore()));
    while (clock.slept.length === 0) await tick();
    ended.abort(new Error("stopping"));
    await expect(starting).rejects.toThrow("stopping");
  });

  it("keeps the present certificate while the store fails, says when it has expired, and renews it after", async () => {
    const store = failingStore();
    store.failing = false;
    const source = await startSelfIssued(optionsFor(store));
    const first = source.current();
    expect(certificateProblems(source, clock.time)).toEqual([]);
    store.failing = true;
    clock.time = start + lifetimes.leaf + day;
    await clock.wake();
    expect(source.current()).toBe(first);
    expect(reported).toHaveLength(1);
    expect(certificateProblems(source, clock.time)[0]).toMatch(/expired at 2026-01-31T00:00:00.000Z/);
    store.failing = false;
    await clock.wake();
    expect(source.current().cert).not.toBe(first.cert);
    expect(certificateProblems(source, clock.time)).toEqual([]);
  });

  it("tells listeners of a certificate that another replica renewed, and of nothing when all stayed", async () => {
    const store = createMemoryStore();
    const source = await startSelfIssued(optionsFor(store));
    const seen: string[] = [];
    source.onChange(() => {
      throw new Error("a bad listener");
    });
    const unsubscribe = source.onChange(({ cert }) => seen.push(cert));
    await clock.wake();
    expect(seen).toEqual([]);
    clock.time = start + 21 * day;
    const other = await startSelfIssued({
      ...optionsFor(store),
      clock: { ...clock, sleep: () => new Promise(() => undefined) },
    });
    await clock.wake();
    expect(seen).toEqual([other.current().cert]);
    expect(reported.map(String)).toEqual(["Error: a bad listener"]);
    unsubscribe();
    clock.time += 21 * day;
    await clock.wake();
    expect(seen).toHaveLength(1);
  });

  it("replaces what is garbled in the store, and what has expired there", async () => {
    const store = createMemoryStore();
    await store.save({ "tls.crt": "garbled", "ca.crt": "" }, undefined, ended.signal);
    const first = (await startSelfIssued(optionsFor(store))).current();
    expect(first.notAfter).toBe(start + lifetimes.leaf);
    const later = fakeClock();
    later.time = start + lifetimes.authority + day;
    const second = (await startSelfIssued({ ...optionsFor(store), clock: later })).current();
    expect(second.notAfter).toBe(later.time + lifetimes.leaf);
    expect(second.caBundle).not.toBe(first.caBundle);
  });

  it("leaves the upkeep to whoever it belongs to, as long as it can serve", async () => {
    const store = createMemoryStore();
    let maintains = false;
    const source = await startSelfIssued({ ...optionsFor(store), maintains: () => maintains });
    const first = source.current();
    clock.time = start + 21 * day;
    await clock.wake();
    expect(source.current()).toEqual(first);
    maintains = true;
    await clock.wake();
    expect(source.current().notAfter).toBeGreaterThan(first.notAfter);
  });

  it("takes up the upkeep at once, when it becomes its own", async () => {
    const store = createMemoryStore();
    let ours = false;
    let prompt: () => void = () => undefined;
    const source = await startSelfIssued({
      ...optionsFor(store),
      maintains: () => ours,
      prompted: (look) => (prompt = look),
    });
    const first = source.current();
    clock.time += 25 * day;
    await clock.wake();
    expect(source.current()).toEqual(first);
    const before = clock.time;
    ours = true;
    prompt();
    while (source.current().cert === first.cert) await tick();
    expect(clock.time).toBe(before);
    // The prompt is used up.
    const slept = clock.slept.length;
    await clock.wake();
    expect(clock.slept.length).toBe(slept + 1);
    expect(reported).toEqual([]);
  });

  it("renews what it cannot serve without, whosever the upkeep is", async () => {
    const store = createMemoryStore();
    const source = await startSelfIssued({ ...optionsFor(store), maintains: () => false });
    clock.time = start + lifetimes.leaf + day;
    await clock.wake();
    expect(source.current().notAfter).toBe(clock.time + lifetimes.leaf);
    const other = await startSelfIssued({
      ...optionsFor(store),
      names: ["b.svc"],
      maintains: () => false,
      clock: { ...clock, now: () => clock.time, sleep: () => new Promise(() => undefined) },
    });
    expect(other.current().cert).not.toBe(source.current().cert);
    expect(other.current().caBundle).toBe(source.current().caBundle);
  });

  it.each([
    ["deleted", undefined],
    ["garbled", () => ({ "ca.crt": "garbled" })],
    [
      "garbled behind a certificate that is good",
      (good: Readonly<Record<string, string>>) => ({
        ...good,
        "tls.crt": `${good["tls.crt"]!}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`,
      }),
    ],
  ])(
    "puts its certificates back, when those in the store are %s: callers know no others",
    async (_, files) => {
      let inner = createMemoryStore();
      const store: CertificateStore = {
        load: (signal) => inner.load(signal),
        save: (...saved) => inner.save(...saved),
      };
      const source = await startSelfIssued(optionsFor(store));
      const before = source.current();
      const kept = await store.load(ended.signal);
      inner = createMemoryStore();
      if (files !== undefined) await inner.save(files(kept?.files ?? {}), undefined, ended.signal);
      await clock.wake();
      expect(source.current()).toEqual(before);
      expect((await store.load(ended.signal))?.files).toEqual(kept?.files);
    },
  );

  it("says so rather than turning forever, when saving never takes", async () => {
    const store: CertificateStore = {
      load: () => Promise.resolve(undefined),
      save: () => Promise.resolve(false),
    };
    void startSelfIssued(optionsFor(store)).catch(() => undefined);
    while (reported.length === 0) await tick();
    expect(String(reported[0])).toMatch(/did not settle in 16 rounds/);
  });

  it("puts a new authority to use only once its bundle is published", async () => {
    let published = true;
    const store = createMemoryStore();
    const source = await startSelfIssued({ ...optionsFor(store), published: () => published });
    const authorities = (): number => source.current().caBundle?.match(/BEGIN/g)?.length ?? 0;
    published = false;
    const first = source.current().authorityNotAfter;
    clock.time = start + 245 * day;
    await clock.wake();
    expect(authorities()).toBe(2);
    clock.time += 2 * day;
    await clock.wake();
    expect(source.current().authorityNotAfter).toBe(first);
    published = true;
    await clock.wake();
    expect(source.current().authorityNotAfter).toBeGreaterThan(first ?? 0);
    expect(authorities()).toBe(2);
  });
});

describe("retryDelay", () => {
  it("doubles from a second to five minutes", () => {
    expect([1, 2, 3, 9, 10, 1000].map(retryDelay)).toEqual([1000, 2000, 4000, 256_000, 300_000, 300_000]);
  });
});

describe("createMemoryStore", () => {
  it("saves over what was read, and over nothing else", async () => {
    const store = createMemoryStore();
    const { signal } = ended();
    expect(await store.load(signal)).toBeUndefined();
    expect(await store.save({ a: "1" }, undefined, signal)).toBe(true);
    expect(await store.save({ a: "2" }, undefined, signal)).toBe(false);
    const first = await store.load(signal);
    expect(await store.save({ a: "3" }, first, signal)).toBe(true);
    expect(await store.save({ a: "4" }, first, signal)).toBe(false);
    expect((await store.load(signal))?.files).toEqual({ a: "3" });
  });
});

const ended = (): AbortController => new AbortController();
