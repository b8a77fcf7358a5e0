import { beforeEach, describe, expect, it } from "vitest";
import { changeRecords } from "../../../src/compose/change-records.ts";
import type { NamespaceChange } from "../../../src/policy/changes/namespace-change.ts";
import type { ResourceChange } from "../../../src/policy/changes/resource-changes.ts";
import { createTelemetry, type Telemetry } from "../../../src/telemetry/telemetry.ts";
import { policyObject, policyOf } from "../policy/builders.ts";

type Line = Readonly<Record<string, unknown>>;

let text: string;
let telemetry: Telemetry;
let records: ReturnType<typeof changeRecords>;
beforeEach(() => {
  text = "";
  const destination = { write: (chunk: string) => (text += chunk) };
  telemetry = createTelemetry({ version: "1", revision: "r", logLevel: "info", destination });
  records = changeRecords(telemetry);
});

const lines = (): readonly Line[] =>
  text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line, (key, value: unknown) => (key === "time" ? undefined : value)) as Line);

const counted = async (labels: string): Promise<string | undefined> =>
  (await telemetry.metrics.read()).body
    .split("\n")
    .find((line) => line.includes(labels))
    ?.split(" ")
    .at(-1);

const weakened: ResourceChange = {
  ...{ kind: "ClusterSkillPolicy", name: "payments", uid: "u-1", change: "weakened", before: 7, after: 8 },
  what: ["mode: Enforce → Audit"],
  namespaces: { entered: [], left: [] },
  writer: { manager: "kubectl-edit", time: "2026-11-30T12:00:00Z" },
};

const left: NamespaceChange = {
  ...{ name: "payments", entered: [], left: ["payments"], isGoverned: false },
  labels: [{ key: "tenant", before: "payments" }],
  writer: { manager: "kubectl-label" },
};

describe("the record of a change", () => {
  it("has name, both versions, what is another and who wrote it, as a warning where less is demanded", () => {
    records.onChanges({ resources: [weakened] });
    expect(lines()).toEqual([
      {
        level: "warn",
        msg: "ClusterSkillPolicy payments was weakened: mode: Enforce → Audit",
        ...{ change: "weakened", kind: "ClusterSkillPolicy", name: "payments", uid: "u-1" },
        ...{ generationBefore: 7, generation: 8, what: ["mode: Enforce → Audit"] },
        ...{ manager: "kubectl-edit", managedAt: "2026-11-30T12:00:00Z" },
      },
    ]);
  });

  it("is a warning where namespaces are let go, and none else", () => {
    const change = (one: Partial<ResourceChange>): void =>
      records.onChanges({ resources: [{ ...weakened, ...one }] });
    change({ change: "changed" });
    change({ change: "created" });
    change({ change: "deleted" });
    const names = Array.from({ length: 40 }, (_, index) => `n${index}`);
    change({ change: "changed", namespaces: { entered: ["new"], left: names } });
    expect(lines().map(({ level }) => level)).toEqual(["info", "info", "warn", "warn"]);
    expect(lines()[3]).toMatchObject({
      ...{ namespacesEntered: ["new"], namespacesLeft: names.slice(0, 30), namespacesLeftTotal: 40 },
    });
  });

  it("is of a namespace which policies it left, by which label, and whether any governs it still", () => {
    records.onNamespaceChange(left);
    records.onNamespaceChange({ ...left, entered: ["pilot"], isGoverned: true });
    records.onNamespaceChange({ ...left, left: [], entered: ["pilot"], isGoverned: true });
    expect(lines()[0]).toEqual({
      level: "warn",
      msg: "the Namespace payments left payments: no policy governs it now",
      ...{ change: "left", kind: "Namespace", name: "payments", left: ["payments"], governed: false },
      labels: [{ key: "tenant", before: "payments" }],
      manager: "kubectl-label",
    });
    expect(lines().slice(1)).toMatchObject([
      { level: "warn", msg: "the Namespace payments left payments and came under pilot", change: "left" },
      { level: "info", msg: "the Namespace payments came under pilot", change: "entered", governed: true },
    ]);
  });

  it("is of an exemption what the label says", () => {
    const key = "skill-admission.dev/break-glass";
    const exempt = { ...left, left: [], isGoverned: true };
    records.onNamespaceChange({ ...exempt, exemption: { key, after: "INC-1" } });
    records.onNamespaceChange({ ...exempt, exemption: { key, before: "INC-1" } });
    expect(lines()).toMatchObject([
      { level: "warn", change: "exempted", msg: expect.stringContaining(`${key}=INC-1`) as string },
      { level: "info", change: "readmitted", msg: expect.stringContaining("is checked again") as string },
    ]);
  });

  it("tells of trust both versions", async () => {
    records.onChanges({ resources: [], trust: { before: "sha256:1", after: "sha256:2" } });
    expect(lines()).toMatchObject([
      { change: "changed", kind: "Trust", trustBefore: "sha256:1", trust: "sha256:2" },
    ]);
    expect(await counted('kind="Trust"')).toBe("1");
  });

  it("stays one bounded, printable line, whatever anybody writes", () => {
    const hostile = `\u001b[31m\u202e\n${"x".repeat(5_000)}`;
    const many = Array.from({ length: 1_000 }, () => hostile);
    const [labels, writer] = [many.map((key) => ({ key, after: key })), { manager: hostile, time: hostile }];
    const namespaces = { entered: many, left: many };
    records.onChanges({ resources: [{ ...weakened, name: hostile, what: many, namespaces, writer }] });
    records.onNamespaceChange({ ...left, name: hostile, ...namespaces, labels, writer });
    expect(lines()).toHaveLength(2);
    expect(text.replaceAll("\n", "")).not.toMatch(/[\u0000-\u001f\u202e]/);
    for (const line of text.split("\n")) expect(line.length).toBeLessThan(60_000);
  });
});

describe("what is in force", () => {
  const inForce = (count: number) => {
    const objects = Array.from({ length: count }, (_, index) => {
      const object = policyObject({ mode: "Warn" }, `p${index}`);
      return { ...object, metadata: { ...(object.metadata as object), generation: 3 } };
    });
    const policies = objects.map((_, index) => ({ ...policyOf({ mode: "Warn" }), name: `p${index}` }));
    return {
      objects: { ClusterSkillPolicy: objects, SkillTrustRoot: [], SkillRevocationList: [] },
      ...{ policies, trust: "sha256:1" },
    };
  };

  it("is told at the start by name, version and mode, in lines of thirty", () => {
    records.onInForce(inForce(31));
    const [first, second, ...others] = lines();
    expect(others).toEqual([]);
    expect(first).toMatchObject({ level: "info", msg: "in force", inForceTotal: 31, trust: "sha256:1" });
    expect(first?.["inForce"]).toHaveLength(30);
    expect(second?.["inForce"]).toEqual(["ClusterSkillPolicy p30@3 Warn"]);
  });

  it("is told where there is nothing, and of very much the beginning and the number", () => {
    records.onInForce(inForce(0));
    expect(lines()).toMatchObject([{ inForce: [], inForceTotal: 0 }]);
    records.onInForce(inForce(700));
    expect(lines()).toHaveLength(1 + 20);
    expect(lines().at(-1)).toMatchObject({ inForceTotal: 700 });
  });

  it("begins the counters of each resource at 0: Prometheus sees no increase in one that appears", async () => {
    const of = (change: string) => counted(`{kind="ClusterSkillPolicy",name="p0",change="${change}"}`);
    records.onInForce(inForce(1));
    expect([await of("weakened"), await of("deleted"), await of("created")]).toEqual(["0", "0", undefined]);
    records.onChanges({
      resources: [{ ...weakened, name: "p0", namespaces: { entered: ["a"], left: ["b", "c"] } }],
    });
    expect([await of("weakened"), await of("deleted")]).toEqual(["1", "0"]);
    const namespaces = (change: string) => counted(`namespace_changes_total{change="${change}"}`);
    expect([await namespaces("entered"), await namespaces("left")]).toEqual(["1", "2"]);
  });
});

describe("the count of namespaces", () => {
  it("counts what each change says, and an exemption once however often its value changes", async () => {
    const key = "skill-admission.dev/break-glass";
    const exempt = { ...left, left: [] };
    records.onNamespaceChange({ ...left, entered: ["a", "b"] });
    records.onNamespaceChange({ ...exempt, exemption: { key, after: "INC-1" } });
    records.onNamespaceChange({ ...exempt, exemption: { key, before: "INC-1", after: "INC-2" } });
    records.onNamespaceChange({ ...exempt, exemption: { key, before: "INC-2" } });
    const words = ["entered", "left", "exempted", "readmitted"];
    const counts = await Promise.all(
      words.map((word) => counted(`namespace_changes_total{change="${word}"}`)),
    );
    expect(counts).toEqual(["1", "1", "1", "1"]);
  });
});
