import { describe, expect, it } from "vitest";

import { objectItem, type AppliedObject } from "../../../../src/cli/report/object-item.ts";
import { sha256Hex } from "../../../../src/skill/digest.ts";
import { evidence, mismatch, reference, result, signed, verdict } from "./evidence.ts";

const subject = { kind: "Pod", namespace: "payments", name: "etl", file: "deploy/pod.yaml" };

const reviewed = (
  verdicts: readonly ReturnType<typeof verdict>[],
  isPartlyUnknown = false,
): AppliedObject => ({
  ...subject,
  state: "reviewed",
  isPartlyUnknown,
  verdicts,
  trust: "sha256:7",
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

  describe("of which a skill could not be read", () => {
    const unread = (code: "SOURCE_UNAVAILABLE" | "TIMEOUT" | "SOURCE_MALFORMED") =>
      result({
        reference: { ...reference, content: { state: "unavailable", code, detail: "forbidden" } },
        findings: [
          { code, message: "forbidden", tolerated: false },
          { code: "NOT_IMMUTABLE", message: "unknown", tolerated: false },
        ],
      });
    const denied = (...skills: ReturnType<typeof result>[]) => verdict({ outcome: "deny", skills });

    it.each(["SOURCE_UNAVAILABLE", "TIMEOUT"] as const)("is not judged for %s", (code) => {
      const item = objectItem(reviewed([denied(unread(code))], true));
      expect(item).toMatchObject({ outcome: "unevaluated", exit: 3 });
      expect(item.findings[0]).toMatchObject({ code });
      expect(item.document).toMatchObject({ outcome: "unevaluated" });
    });

    it("is not judged under a policy in Audit either, which would let it in", () => {
      const audit = verdict({ mode: "Audit", outcome: "allow", skills: [unread("SOURCE_UNAVAILABLE")] });
      expect(objectItem(reviewed([audit], true))).toMatchObject({ outcome: "unevaluated", exit: 3 });
    });

    it("is denied where another skill is, or where the bytes that were read are wrong", () => {
      const other = denied(unread("SOURCE_UNAVAILABLE"), result({ findings: [mismatch] }));
      expect(objectItem(reviewed([other], true))).toMatchObject({ outcome: "deny", exit: 1 });
      expect(objectItem(reviewed([denied(unread("SOURCE_MALFORMED"))], true))).toMatchObject({ exit: 1 });
    });

    it("is denied where nothing is unknown: the webhook finds no more", () => {
      expect(objectItem(reviewed([denied(unread("SOURCE_UNAVAILABLE"))]))).toMatchObject({ exit: 1 });
    });
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
    ["TIMEOUT", "unevaluated", 3],
    ["LIMIT_EXCEEDED", "deny", 1],
    ["SOURCE_MALFORMED", "deny", 1],
  ] as const)("does not let an object pass whose review failed with %s", (code, outcome, exit) => {
    const item = objectItem({ ...subject, state: "failed", code, message: "no namespace" });
    expect(item).toMatchObject({ outcome, exit, findings: [{ code, message: "no namespace" }] });
    expect(item.document).toMatchObject({ error: { code, message: "no namespace" } });
  });
});
