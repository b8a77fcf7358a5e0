import { describe, expect, it } from "vitest";
import { changeLimits, ChangeStore } from "../../../src/cluster/change-store.ts";
import type { ExpectedChange } from "../../../src/evaluation/cluster-view.ts";

const ref = (name: string, namespace = "n") => ({ kind: "ConfigMap", namespace, name }) as const;
const change = (name: string, more: Partial<ExpectedChange> = {}, namespace = "n"): ExpectedChange => ({
  ref: ref(name, namespace),
  object: { metadata: { uid: `uid-${name}` }, data: { a: "1" } },
  replaces: `uid-${name}/1`,
  ...more,
});
const large = (name: string, namespace = "n"): ExpectedChange =>
  change(name, { object: { data: { a: "x".repeat(changeLimits.shareCharacters / 2) } } }, namespace);

describe("ChangeStore", () => {
  it("remembers changes by object and namespace, until they are withdrawn", () => {
    const store = new ChangeStore();
    const forget = store.add(change("a"));
    expect(store.of(ref("a"))).toEqual([change("a")]);
    expect(store.of(ref("b"))).toEqual([]);
    expect(store.of(ref("a", "m"))).toEqual([]);
    expect(store.objectsIn("n")).toEqual([ref("a")]);
    forget?.();
    forget?.();
    expect(store.of(ref("a"))).toEqual([]);
    expect(store.size).toBe(0);
  });

  it("forgets an update when a read shows another version than the one that it replaces", () => {
    const store = new ChangeStore();
    store.add(change("a"));
    store.reading(ref("a"))("uid-a/1");
    expect(store.size).toBe(1);
    store.reading(ref("a"))("uid-a/2");
    expect(store.size).toBe(0);
    store.add(change("a"));
    store.reading(ref("a"))(undefined);
    expect(store.size).toBe(0);
  });

  it("forgets a creation only when a read shows that very object", () => {
    const store = new ChangeStore();
    store.add(change("a", { replaces: undefined }));
    store.reading(ref("a"))(undefined);
    store.reading(ref("a"))("uid-of-another/1");
    expect(store.size).toBe(1);
    store.reading(ref("a"))("uid-a/7");
    expect(store.size).toBe(0);
  });

  it("does not believe a read that began before the change", () => {
    const store = new ChangeStore();
    const seen = store.reading(ref("a"));
    store.add(change("a", { replaces: "uid-a/2" }));
    seen("uid-a/1");
    expect(store.size).toBe(1);
  });

  it("forgets after 35 seconds", () => {
    let now = 0;
    const store = new ChangeStore(() => now);
    store.add(change("a"));
    now = 34_999;
    expect(store.of(ref("a"))).toHaveLength(1);
    now = 35_000;
    expect(store.of(ref("a"))).toEqual([]);
  });

  it("refuses what exceeds the share of a namespace, evicts nothing, and leaves other namespaces theirs", () => {
    const store = new ChangeStore();
    expect(store.add(large("a"))).toBeDefined();
    expect(store.add(large("b"))).toBeUndefined();
    expect(store.of(ref("a"))).toHaveLength(1);
    expect(store.add(change("c"))).toBeDefined();
    expect(store.add(large("b", "m"))).toBeDefined();
    for (let index = store.size; index < changeLimits.shareChanges + 2; index += 1)
      store.add(change(`n${index}`));
    expect(store.objectsIn("n")).toHaveLength(changeLimits.shareChanges);
  });

  it("has a bound for all namespaces", () => {
    const store = new ChangeStore();
    const taken = Array.from({ length: 64 }, (_, index) => store.add(large("a", `n${index}`)));
    expect(taken.filter((one) => one !== undefined)).toHaveLength(
      Math.floor(changeLimits.allCharacters / (changeLimits.shareCharacters / 2 + 1001)),
    );
  });
});
