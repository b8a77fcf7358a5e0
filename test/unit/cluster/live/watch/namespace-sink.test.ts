import { beforeEach, describe, expect, it } from "vitest";
import { namespaceSink } from "../../../../../src/cluster/live/watch/namespace-sink.ts";
import type { ObjectSink } from "../../../../../src/cluster/live/watch/reflector.ts";

const label = "skill-admission.dev/break-glass";

describe("namespaceSink", () => {
  const namespaces = new Map<string, Readonly<Record<string, string>>>();
  let told: string[];
  let counts: number[];
  let sink: ObjectSink;
  beforeEach(() => {
    namespaces.clear();
    [told, counts] = [[], []];
    sink = namespaceSink(namespaces, {
      onProblem: (message) => void told.push(message),
      onBreakGlass: (count) => void counts.push(count),
    });
  });
  const set = (name: string, labels?: Readonly<Record<string, string>>): void => {
    sink.set(name, { metadata: { name, ...(labels === undefined ? {} : { labels }) } });
    sink.settled();
  };

  it("keeps the labels of namespaces, and forgets those that are gone", () => {
    set("a", { tenant: "x" });
    set("b");
    expect(Object.fromEntries(namespaces)).toEqual({ a: { tenant: "x" }, b: {} });
    sink.delete("a");
    expect([...sink.keys()]).toEqual(["b"]);
    expect(told).toEqual([]);
  });

  it("says once that a namespace steps out, and once that it is back", () => {
    set("a", { tenant: "x" });
    set("a", { tenant: "x", [label]: "INC-1" });
    set("a", { tenant: "y", [label]: "INC-1" });
    set("b", { [label]: "" });
    expect(told).toHaveLength(2);
    expect(told[0]).toContain(`nothing in the Namespace a is checked: it carries the label ${label}=INC-1`);
    set("a", { tenant: "y" });
    sink.delete("b");
    sink.settled();
    expect(told.slice(2)).toEqual([
      `the Namespace a is checked again: its label ${label} is gone`,
      `the Namespace b is checked again: its label ${label} is gone`,
    ]);
    expect(counts).toEqual([0, 1, 2, 1, 0]);
  });

  it("tells of the beginning, also when there is none", () => {
    sink.settled();
    sink.settled();
    expect(counts).toEqual([0]);
  });
});
