import { beforeEach, describe, expect, it } from "vitest";
import { namespaceSink } from "../../../../../src/cluster/live/watch/namespace-sink.ts";
import type { NamespaceChange } from "../../../../../src/policy/changes/namespace-change.ts";
import { policyOf } from "../../../policy/builders.ts";
import type { ObjectSink } from "../../../../../src/cluster/live/watch/reflector.ts";

const label = "skill-admission.dev/break-glass";

describe("namespaceSink", () => {
  const namespaces = new Map<string, Readonly<Record<string, string>>>();
  let told: string[];
  let counts: number[];
  let changes: NamespaceChange[];
  let sink: ObjectSink;
  const policies = [
    policyOf({ namespaceSelector: { matchLabels: { tenant: "x" } } }),
    { ...policyOf({ namespaceSelector: { matchLabels: { tenant: "y" } } }), name: "q" },
  ];
  beforeEach(() => {
    namespaces.clear();
    [told, counts, changes] = [[], [], []];
    sink = namespaceSink(
      namespaces,
      {
        onProblem: (message) => void told.push(message),
        onBreakGlass: (count) => void counts.push(count),
        onNamespaceChange: (change) => void changes.push(change),
      },
      () => policies,
    );
  });
  const put = (name: string, labels?: Readonly<Record<string, string>>): void => {
    const managedFields = [{ manager: "kubectl-label", operation: "Update", time: "2026-11-30T12:00:00Z" }];
    sink.set(name, { metadata: { name, managedFields, ...(labels === undefined ? {} : { labels }) } });
  };
  const set = (name: string, labels?: Readonly<Record<string, string>>): void => {
    put(name, labels);
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

  it("says of each namespace in the first list that it is exempt, and counts them from then on", () => {
    put("a", { tenant: "x", [label]: "INC-1" });
    put("b", { tenant: "x" });
    expect(counts).toEqual([]);
    sink.settled();
    expect(told).toEqual([
      `nothing in the Namespace a is checked: it carries the label ${label}=INC-1; take it away as soon as you can`,
    ]);
    set("b", { [label]: "" });
    set("b", { [label]: "INC-2" });
    set("a", { tenant: "x" });
    sink.delete("b");
    sink.settled();
    expect(counts).toEqual([1, 2, 1, 0]);
    expect(told).toHaveLength(1);
  });

  it("tells who exempted a namespace, and that it is back, once each", () => {
    set("a", { tenant: "x" });
    set("a", { tenant: "x", [label]: "INC-1" });
    set("a", { tenant: "x", [label]: "INC-1", other: "z" });
    set("a", { tenant: "x", other: "z" });
    const writer = { manager: "kubectl-label", time: "2026-11-30T12:00:00Z" };
    const base = { name: "a", entered: [], left: [], isGoverned: true, writer };
    const [set_, gone] = [
      { key: label, after: "INC-1" },
      { key: label, before: "INC-1" },
    ];
    expect(changes).toEqual([
      { ...base, labels: [set_], exemption: set_ },
      { ...base, labels: [gone], exemption: gone },
    ]);
  });

  it("tells which policies a namespace leaves and comes under, and nothing of other labels and at the start", () => {
    put("a", { tenant: "x" });
    sink.settled();
    set("a", { tenant: "x", other: "z" });
    expect(changes).toEqual([]);
    set("a", { tenant: "y", other: "z" });
    set("a", { other: "z" });
    set("a", { tenant: "x" });
    set("new", { tenant: "x" });
    sink.delete("new");
    expect(changes).toMatchObject([
      {
        ...{ name: "a", left: ["p"], entered: ["q"], isGoverned: true },
        labels: [{ key: "tenant", before: "x", after: "y" }],
      },
      { name: "a", left: ["q"], entered: [], isGoverned: false, labels: [{ key: "tenant", before: "y" }] },
      { name: "a", left: [], entered: ["p"], isGoverned: true },
      { name: "new", left: [], entered: ["p"], isGoverned: true },
    ]);
  });

  it("tells what a list after a gap shows to be another", () => {
    put("a", { tenant: "x" });
    sink.settled();
    put("a", {});
    sink.settled();
    expect(changes).toMatchObject([{ name: "a", left: ["p"], isGoverned: false }]);
  });

  it("tells of the beginning, also when there is none", () => {
    sink.settled();
    sink.settled();
    expect(counts).toEqual([0]);
  });
});
