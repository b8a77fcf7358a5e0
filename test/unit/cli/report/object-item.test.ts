import { describe, expect, it } from "vitest";

import { objectItem, type AppliedObject } from "../../../../src/cli/report/object-item.ts";
import type { SkillReference } from "../../../../src/skill/reference.ts";
import { sha256Hex } from "../../../../src/skill/digest.ts";
import { evidence, mismatch, reference, result, signed, verdict } from "./evidence.ts";

const subject = { kind: "Pod", namespace: "payments", name: "etl", file: "deploy/pod.yaml" };

const reviewed = (
  verdicts: readonly ReturnType<typeof verdict>[],
  over: Partial<Extract<AppliedObject, { state: "reviewed" }>> = {},
): AppliedObject => ({
  ...subject,
  state: "reviewed",
  isPartlyUnknown: false,
  verdicts,
  trust: "sha256:7",
  skills: [{ reference, evidence: evidence(signed) }],
  ...over,
});

const partlyUnknown = { isPartlyUnknown: true };

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
    expect(warned.remedy).toBe("mount the published files again, or sign the changed skill");
    const audited = objectItem(
      reviewed([verdict({ mode: "Audit", skills: [result({ findings: [mismatch] })] })]),
    );
    expect(audited).toMatchObject({ outcome: "allow", exit: 0, findings: [{ tolerated: true }] });
    expect(audited.remedy).toBe(warned.remedy);
    expect(objectItem(reviewed([verdict()])).remedy).toBeUndefined();
  });

  it("counts skills, and calls a place that cannot be verified a place", () => {
    const content = { state: "unverifiable", kind: "EmptyDir", detail: "an emptyDir" } as const;
    const place: SkillReference = {
      ...reference,
      name: "opt",
      path: "/opt",
      sources: [{ kind: "EmptyDir", name: "cache", writable: true }],
      content,
    };
    const fault = { state: "fault", demand: "processes", policies: ["payments"], detail: "shared" } as const;
    const skills = [reference, place, { ...reference, path: "", content: fault }];
    const item = objectItem(
      reviewed([verdict()], { skills: skills.map((one) => ({ reference: one, evidence: undefined })) }),
    );
    expect(item.columns).toEqual(["1", "payments"]);
    expect(item.facts).toEqual([
      "skill demo at /skills/demo (ConfigMap demo-1)",
      "place /opt (EmptyDir cache)",
    ]);
  });

  it("does not judge an object of a kind that is not read, and says what to do", () => {
    const item = objectItem({
      ...subject,
      kind: "Rollout",
      line: 12,
      state: "unknown",
      apiVersion: "argoproj.io/v1alpha1",
      field: "spec.template.spec.containers",
    });
    const message =
      "not judged: Rollout of argoproj.io/v1alpha1 is no kind that is read here, and spec.template.spec.containers looks as if it made pods";
    expect(item).toMatchObject({
      outcome: "unevaluated",
      exit: 3,
      file: "deploy/pod.yaml",
      line: 12,
      columns: ["-", "-"],
      findings: [{ code: "SOURCE_UNVERIFIABLE", message }],
    });
    expect(item.remedy).toMatch(/^write its pods as a Pod and judge that, or .*apply --cluster/);
    expect(item.document).toMatchObject({ line: 12, outcome: "unevaluated", error: { message } });
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
      const item = objectItem(reviewed([denied(unread(code))], partlyUnknown));
      expect(item).toMatchObject({ outcome: "unevaluated", exit: 3 });
      expect(item.findings[0]).toMatchObject({ code });
      expect(item.document).toMatchObject({ outcome: "unevaluated" });
    });

    it("is not judged under a policy in Audit either, which would let it in", () => {
      const audit = verdict({ mode: "Audit", outcome: "allow", skills: [unread("SOURCE_UNAVAILABLE")] });
      expect(objectItem(reviewed([audit], partlyUnknown))).toMatchObject({ outcome: "unevaluated", exit: 3 });
    });

    it("is denied where another skill is, or where the bytes that were read are wrong", () => {
      const other = denied(unread("SOURCE_UNAVAILABLE"), result({ findings: [mismatch] }));
      expect(objectItem(reviewed([other], partlyUnknown))).toMatchObject({ outcome: "deny", exit: 1 });
      expect(objectItem(reviewed([denied(unread("SOURCE_MALFORMED"))], partlyUnknown))).toMatchObject({
        exit: 1,
      });
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
