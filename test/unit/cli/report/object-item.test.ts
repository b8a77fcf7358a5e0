import { describe, expect, it } from "vitest";

import { objectItem, type AppliedObject } from "../../../../src/cli/report/object-item.ts";
import { sha256Hex } from "../../../../src/skill/digest.ts";
import { evidence, mismatch, reference, result, signed, verdict } from "./evidence.ts";

const subject = { kind: "Pod", namespace: "payments", name: "etl", file: "deploy/pod.yaml" };

const reviewed = (verdicts: readonly ReturnType<typeof verdict>[]): AppliedObject => ({
  ...subject,
  state: "reviewed",
  verdicts,
  skills: [{ reference, evidence: evidence(signed) }],
});

describe("objectItem", () => {
  it("lists every skill with its files as the agent would see them, in the order of their paths", () => {
    const item = objectItem(reviewed([verdict()]));
    expect(item).toMatchObject({
      title: "Pod payments/etl",
      outcome: "allow",
      exit: 0,
      columns: ["1", "payments"],
    });
    expect(item.document).toMatchObject({
      object: { kind: "Pod", namespace: "payments", name: "etl" },
      outcome: "allow",
      skills: [
        {
          skill: "demo",
          path: "/skills/demo",
          containers: ["agent"],
          digest: signed.digest,
          files: [
            { path: "a.md", sha256: sha256Hex("a"), size: 1 },
            { path: "b.md", sha256: sha256Hex("b"), size: 1 },
          ],
        },
      ],
      verdicts: [
        { policy: "payments", mode: "Enforce", outcome: "allow", skills: [{ skill: "demo", findings: [] }] },
      ],
    });
  });

  it("ends with 1 for a denial, and names policy, skill and file", () => {
    const item = objectItem(
      reviewed([verdict({ outcome: "deny", skills: [result({ findings: [mismatch] })] })]),
    );
    expect(item).toMatchObject({ outcome: "deny", exit: 1 });
    expect(item.findings[0]).toMatchObject({
      policy: "payments",
      skill: "demo",
      location: "deploy/pod.yaml",
      tolerated: false,
    });
    expect(item.remedy).not.toBe("");
  });

  it("passes what a policy in Audit or Warn finds, and still says it", () => {
    const warned = objectItem(
      reviewed([verdict({ mode: "Warn", outcome: "warn", skills: [result({ findings: [mismatch] })] })]),
    );
    expect(warned).toMatchObject({ outcome: "warn", exit: 0 });
    expect(warned.findings[0]?.tolerated).toBe(true);
    expect(warned.remedy).toBeUndefined();
  });

  it("says that no policy governs the namespace, and lists the skills all the same", () => {
    const item = objectItem(reviewed([]));
    expect(item).toMatchObject({
      outcome: "allow",
      exit: 0,
      facts: ["no policy governs the namespace payments"],
    });
    expect(item.document).toMatchObject({ skills: [{ skill: "demo" }], verdicts: [] });
  });

  it.each([
    ["SOURCE_UNAVAILABLE", "unevaluated", 3],
    ["SOURCE_MALFORMED", "deny", 1],
  ] as const)("does not let an object pass whose review failed with %s", (code, outcome, exit) => {
    const item = objectItem({ ...subject, state: "failed", code, message: "no namespace" });
    expect(item).toMatchObject({ outcome, exit, findings: [{ code, message: "no namespace" }] });
    expect(item.document).toMatchObject({ error: { code, message: "no namespace" } });
  });
});
