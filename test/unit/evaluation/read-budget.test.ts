import { describe, expect, it } from "vitest";
import { ReadBudget } from "../../../src/evaluation/read-budget.ts";
import { SkillFile } from "../../../src/skill/skill.ts";
import type { SkillSource, VolumeObject, VolumeObjectRequest } from "../../../src/skill/source.ts";
import { volumeObject } from "../../fixtures/pods.ts";

const mebibyte = 1024 * 1024;
const file = new SkillFile(Buffer.alloc(mebibyte));
const request = (name: string): VolumeObjectRequest => ({ kind: "ConfigMap", namespace: "n", name });
const signal = new AbortController().signal;
const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

/** A source of objects of 1 MiB whose reads end when the test says so. */
class HeldSource implements SkillSource {
  readonly reading = new Map<string, () => void>();

  async read(wanted: VolumeObjectRequest): Promise<VolumeObject> {
    await new Promise<void>((resolve) => this.reading.set(wanted.name, resolve));
    this.reading.delete(wanted.name);
    return { ...volumeObject(wanted, {}), files: new Map([["k", file]]) };
  }

  end(name: string): void {
    this.reading.get(name)!();
  }

  get names(): string {
    return [...this.reading.keys()].join(" ");
  }
}

describe("ReadBudget", () => {
  it("counts an object once that several reviews hold, until the last gives it back", async () => {
    const object = { ...volumeObject(request("shared"), {}), files: new Map([["k", file]]) };
    const source: SkillSource = { read: () => Promise.resolve(object) };
    const budget = new ReadBudget();
    const [first, second] = [budget.open(source, "n"), budget.open(source, "m")];
    for (const reads of [first, second, first]) await reads.read(request("shared"), signal);
    const once = budget.bytes;
    expect(once).toBeGreaterThan(mebibyte);
    expect(once).toBeLessThan(1.1 * mebibyte);
    first.release();
    expect(budget.bytes).toBe(once);
    second.release();
    expect(budget.bytes).toBe(0);
  });

  it("reads eight objects at once for all reviews", async () => {
    const source = new HeldSource();
    const budget = new ReadBudget();
    const reads = ["a", "b"].map((namespace) => budget.open(source, namespace));
    const all = Array.from({ length: 9 }, (_, at) => reads[at % 2]!.read(request(`c${at}`), signal));
    await turns();
    expect(source.reading.size).toBe(8);
    source.end("c0");
    await turns();
    expect(source.names).toContain("c8");
    for (const name of source.reading.keys()) source.end(name);
    await Promise.all(all);
  });

  it("reads a few objects at once, and the others in the order in which they were asked for", async () => {
    const source = new HeldSource();
    const budget = new ReadBudget({ readsAtOnce: 2 });
    const reads = budget.open(source, "n");
    const all = ["a", "b", "c", "d"].map((name) => reads.read(request(name), signal));
    await turns();
    expect(source.names).toBe("a b");
    source.end("b");
    await turns();
    expect(source.names).toBe("a c");
    for (const name of ["a", "c"]) source.end(name);
    await turns();
    expect(source.names).toBe("d");
    source.end("d");
    expect(await Promise.all(all)).toHaveLength(4);
  });

  it("lets only the oldest review go on above the budget, and the others once that one has ended", async () => {
    const source = new HeldSource();
    const budget = new ReadBudget({ heldBytes: 2 * mebibyte });
    const [first, second, third] = [source, source, source].map((one) => budget.open(one, "n"));
    const read = (of: typeof first, name: string) => of!.read(request(name), signal);
    const begun = [read(first, "f1"), read(second, "s1")];
    await turns();
    for (const name of ["f1", "s1"]) source.end(name);
    await Promise.all(begun);
    const later = [read(second, "s2"), read(third, "t1"), read(first, "f2"), read(first, "f3")];
    await turns();
    expect(source.names).toBe("f2 f3");
    for (const name of ["f2", "f3"]) source.end(name);
    await turns();
    expect(source.names).toBe("");
    first!.release();
    await turns();
    expect(source.names).toBe("s2 t1");
    for (const name of ["s2", "t1"]) source.end(name);
    await Promise.all(later);
    second!.release();
    third!.release();
    expect(budget.bytes).toBe(0);
  });

  it("lets a namespace go on that holds less than its share, whatever another one holds", async () => {
    const source = new HeldSource();
    const budget = new ReadBudget({ heldBytes: 4 * mebibyte });
    const greedy = [1, 2, 3].map(() => budget.open(source, "greedy"));
    const victim = budget.open(source, "victim");
    const begun = greedy.flatMap((one, at) => [
      one.read(request(`a${at}`), signal),
      one.read(request(`b${at}`), signal),
    ]);
    await turns();
    for (const name of source.names.split(" ")) source.end(name);
    await Promise.all(begun);
    const later = [greedy[1]!.read(request("more"), signal), victim.read(request("v1"), signal)];
    await turns();
    expect(source.names).toBe("v1");
    source.end("v1");
    await turns();
    for (const one of [...greedy, victim]) one.release();
    await turns();
    source.end("more");
    await Promise.all(later);
    expect(budget.bytes).toBe(0);
  });

  it("gives a place to the namespace that reads least", async () => {
    const source = new HeldSource();
    const budget = new ReadBudget({ readsAtOnce: 2 });
    const greedy = budget.open(source, "greedy");
    const all = ["a", "b", "c", "d"].map((name) => greedy.read(request(name), signal));
    all.push(budget.open(source, "victim").read(request("v"), signal));
    await turns();
    source.end("a");
    await turns();
    expect(source.names).toBe("b v");
    for (const name of ["b", "v"]) source.end(name);
    await turns();
    for (const name of ["c", "d"]) source.end(name);
    await Promise.all(all);
  });

  it("counts one object once in each review, and nothing of one that has ended", async () => {
    const object = { ...volumeObject(request("c"), {}), files: new Map([["k", file]]) };
    const budget = new ReadBudget();
    const reads = budget.open({ read: () => Promise.resolve(object) }, "n");
    for (let at = 0; at < 3; at += 1) await reads.read(request("c"), signal);
    expect(budget.bytes).toBeLessThan(mebibyte + 1000);
    reads.release();
    reads.release();
    await reads.read(request("c"), signal);
    expect(budget.bytes).toBe(0);
  });

  it("gives up a read that waits when the signal aborts, and keeps its place for nobody", async () => {
    const source = new HeldSource();
    const budget = new ReadBudget({ readsAtOnce: 1 });
    const reads = budget.open(source, "n");
    const first = reads.read(request("a"), signal);
    const aborted = new AbortController();
    const given = reads.read(request("b"), aborted.signal);
    const last = reads.read(request("c"), signal);
    await turns();
    aborted.abort();
    await expect(given).rejects.toMatchObject({ code: "TIMEOUT" });
    await expect(reads.read(request("d"), aborted.signal)).rejects.toMatchObject({ code: "TIMEOUT" });
    source.end("a");
    await first;
    await turns();
    expect(source.names).toBe("c");
    source.end("c");
    await last;
  });

  it("gives the place of a read that failed to the next", async () => {
    const budget = new ReadBudget({ readsAtOnce: 1 });
    const failing = budget.open({ read: () => Promise.reject(new Error("no")) }, "n");
    const results = await Promise.allSettled(["a", "b"].map((name) => failing.read(request(name), signal)));
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(budget.bytes).toBe(0);
  });
});
