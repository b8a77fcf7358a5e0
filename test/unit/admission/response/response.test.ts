import { describe, expect, it } from "vitest";
import type { Decision, ReviewSubject } from "../../../../src/admission/decision.ts";
import { refusal, toResponse } from "../../../../src/admission/response/response.ts";
import type { Evidence } from "../../../../src/evidence/evidence.ts";
import type { Finding, SkillResult, Verdict } from "../../../../src/policy/finding.ts";
import { reasonTexts } from "../../../../src/policy/remedy.ts";
import type { SignatureEvidence } from "../../../../src/signature/signature-evidence.ts";
import { always } from "../../../../src/signature/validity.ts";
import type { PodFault, SkillReference } from "../../../../src/skill/reference.ts";
import { subject } from "../../../fixtures/review-subject.ts";

const signed = `sha256:3f8e44cb${"0".repeat(56)}` as const;
const found = `sha256:91ac02d7${"0".repeat(56)}` as const;

const tampered: SignatureEvidence = {
  outcome: "tampered",
  unlisted: [],
  format: "oms",
  digest: signed,
  signer: {
    kind: "certificate",
    subject: "CN=NVIDIA Agent Skills Signing 001, O=NVIDIA Corporation, C=US",
    attributes: {},
    fingerprint: "f",
    publicKey: "p",
    anchors: ["a"],
  },
  differences: [],
  validity: always,
};

const nvidia = "CN=NVIDIA Agent Skills Signing 001, O=NVIDIA Corporation, C=US";

const mismatch: Finding = {
  code: "DIGEST_MISMATCH",
  message: "differs from what was signed",
  path: "scripts/run.sh",
  signed,
  found,
  tolerated: false,
};
const added: Finding = {
  code: "FILE_UNSIGNED",
  message: "was not signed",
  path: "extra.py",
  tolerated: false,
};

const result = (
  findings: readonly Finding[],
  signature: SignatureEvidence = tampered,
  name = "data-designer",
): SkillResult => ({
  reference: {
    name,
    path: `/skills/${name}`,
    containers: ["agent"],
    sources: [{ kind: "ConfigMap", name: "skills-etl", writable: false }],
    content: { state: "resolved", skill: { name, files: new Map() } },
  },
  evidence: { signature, card: { faults: [] }, validity: always } satisfies Evidence,
  grades: { integrity: "ABSENT", authorship: "MEDIUM", freshness: "UNVERIFIED" },
  findings,
});

const verdict = (
  outcome: Verdict["outcome"],
  skills: readonly SkillResult[],
  policy = "payments",
): Verdict => ({
  policy,
  tenant: policy,
  mode: outcome === "warn" ? "Warn" : "Enforce",
  outcome,
  skills,
});

const trust = `sha256:${"7".repeat(64)}`;

const decision = (
  outcome: "allow" | "warn" | "deny",
  verdicts: readonly Verdict[],
  about: Partial<ReviewSubject> = {},
): Decision => ({
  outcome,
  id: "7f3c1a9e",
  subject: { ...subject, ...about },
  verdicts,
  trust,
});

describe("toResponse", () => {
  it("denies with the text of the contract: file, both digests, remedy, decision", () => {
    const skills = [result([mismatch, added]), result([], tampered, "b"), result([], tampered, "c")];
    const { response } = toResponse(decision("deny", [verdict("deny", skills)]));
    expect(response).toMatchObject({
      uid: subject.uid,
      allowed: false,
      status: { code: 403, reason: "Forbidden" },
    });
    expect(response.status?.message).toBe(
      [
        'policy "payments" denied Pod payments/etl: 1 of 3 skills failed: data-designer DIGEST_MISMATCH scripts/run.sh, and 1 more',
        "- data-designer (ConfigMap skills-etl at /skills/data-designer): signed by CN=NVIDIA Agent Skills Signing 001, changed since",
        "  DIGEST_MISMATCH scripts/run.sh: signed 3f8e44cb…, found 91ac02d7…",
        "  FILE_UNSIGNED   extra.py",
        "  fix: mount the published files again, or sign the changed skill; remove the added file, or sign the skill with it",
        "decision 7f3c1a9e",
      ].join("\n"),
    );
    expect(response.status?.details?.causes).toEqual([
      {
        reason: "DIGEST_MISMATCH",
        message: "differs from what was signed",
        field: "/skills/data-designer/scripts/run.sh",
      },
      { reason: "FILE_UNSIGNED", message: "was not signed", field: "/skills/data-designer/extra.py" },
    ]);
    expect(response.auditAnnotations).toEqual({
      decision: "deny 7f3c1a9e",
      trust,
      policies: "payments=Enforce:deny",
      findings: "DIGEST_MISMATCH,FILE_UNSIGNED",
      skills: ["data-designer", "b", "c"]
        .map((name) => `${name}@${signed} (tampered) at /skills/${name}`)
        .join(","),
      signers: ["data-designer", "b", "c"]
        .map((name) => `${name}="${nvidia}" certificate f (tampered)`)
        .join("; "),
      causes:
        "payments: data-designer: DIGEST_MISMATCH scripts/run.sh: signed 3f8e44cb…, found 91ac02d7…; " +
        "payments: data-designer: FILE_UNSIGNED extra.py",
    });
  });

  it("calls a key what the denying policy or a trust root calls it, never what another policy does", () => {
    const by = (names: readonly string[]): string | undefined => {
      const signer = { kind: "key" as const, publicKey: "0123456789abcdef00", names };
      const skill = result([mismatch], { ...tampered, signer });
      const { message = "" } = toResponse(decision("deny", [verdict("deny", [skill])])).response.status ?? {};
      return /: signed by (.*), changed since$/m.exec(message)?.[1];
    };
    const key = "key 0123456789abcdef…";
    expect(by([])).toBe(key);
    expect(by(["ClusterSkillPolicy/other/theirs"])).toBe(key);
    expect(by(["ClusterSkillPolicy/other/theirs", "ClusterSkillPolicy/payments/team"])).toBe(`team (${key})`);
    expect(by(["ClusterSkillPolicy/other/theirs", "ours/release"])).toBe(`ours/release (${key})`);
  });

  it("names every policy that denies", () => {
    const verdicts = [
      verdict("deny", [result([mismatch])], "one"),
      verdict("allow", [result([])], "two"),
      verdict("deny", [result([added])], "three"),
    ];
    const { message = "" } = toResponse(decision("deny", verdicts)).response.status ?? {};
    expect(message).toContain('policy "one" denied');
    expect(message).toContain('policy "three" denied');
    expect(message).not.toContain('"two"');
  });

  it("stays within 2 KB, and counts what it leaves out", () => {
    const findings = Array.from({ length: 500 }, (_, index) => ({
      ...added,
      path: `${"ü".repeat(90)}${index}`,
    }));
    const skills = Array.from({ length: 40 }, (_, index) => result(findings, tampered, `skill-${index}`));
    const { status } = toResponse(decision("deny", [verdict("deny", skills)])).response;
    expect(Buffer.byteLength(status?.message ?? "")).toBeLessThanOrEqual(2048);
    expect(status?.message).toMatch(
      /^policy "payments" denied Pod payments\/etl: 40 of 40 skills failed: [^\n]+, and \d+ more\n/,
    );
    expect(status?.message).toContain("and 494 more");
    expect(status?.message).toMatch(
      /\nand \d+ more lines; the log has up to 50 findings\ndecision 7f3c1a9e$/,
    );
    expect(status?.details?.causes).toHaveLength(50);
  });

  it("counts skills as skills, and names what else is wrong", () => {
    const about = (content: SkillReference["content"], path: string): SkillResult => {
      const { reference, ...rest } = result([{ ...mismatch, path: "SKILL.md" }]);
      return { ...rest, reference: { ...reference, path, content } };
    };
    const unverifiable = { state: "unverifiable", kind: "EmptyDir", detail: "" } as const;
    const unavailable = { state: "unavailable", code: "SOURCE_UNAVAILABLE", detail: "" } as const;
    const fault = (demand: PodFault["demand"]): PodFault => ({
      state: "fault",
      demand,
      policies: [],
      detail: "",
    });
    const counted = (...skills: readonly SkillResult[]): string | undefined =>
      /: (.*?): /.exec(
        toResponse(decision("deny", [verdict("deny", skills)])).response.status?.message ?? "",
      )?.[1];
    const fine = result([], tampered, "fine");
    expect(counted(fine, result([mismatch]))).toBe("1 of 2 skills failed");
    expect(counted(fine, about(unverifiable, "/home/a"))).toBe("1 place cannot be verified");
    expect(counted(about(unverifiable, "/home/a"), about(unverifiable, "/b"))).toBe(
      "2 places cannot be verified",
    );
    expect(counted(result([mismatch]), about(unverifiable, "/home/a"), about(unavailable, "/c"))).toBe(
      "1 of 1 skill failed, 1 place cannot be verified, 1 source cannot be judged",
    );
    // Of a skill that can be read in part, the rest is no place of its own.
    expect(counted(fine, about(unavailable, "/skills/fine"))).toBe("1 of 1 skill failed");
    expect(counted(fine, about(fault("closed"), "/skills/fine"), about(fault("closed"), "/d"))).toBe(
      "2 mounts are not allowed",
    );
    expect(counted(about(fault("closed"), "/d"), about(fault("processes"), "/proc"))).toBe(
      "1 mount is not allowed, its containers share processes",
    );
    expect(counted(about(fault("rootFilesystem"), "/"))).toBe("a root file system is writable");
    expect(counted(about(fault("binding"), "/"))).toBe("its node is preset");
    expect(counted(about(fault("inUse"), ""))).toBe("it is still in use");
  });

  it("says what to do about a review that failed, unless its message does", () => {
    const failed = (message: string, letInBy?: "Warn") =>
      toResponse({
        outcome: "error",
        id: "1",
        subject,
        code: "TIMEOUT",
        message,
        ...(letInBy === undefined ? {} : { letInBy }),
      }).response;
    const what = "skill-admission could not review Pod payments/etl";
    expect(failed("too slow").status?.message).toBe(
      `${what}, so it is denied: TIMEOUT too slow\nfix: ${reasonTexts.TIMEOUT.remedy}\ndecision 1`,
    );
    expect(failed("too slow; wait").status?.message).toBe(
      `${what}, so it is denied: TIMEOUT too slow; wait\ndecision 1`,
    );
    expect(failed("too slow", "Warn").warnings).toEqual([
      `${what}: TIMEOUT too slow; fix: ${reasonTexts.TIMEOUT.remedy}`,
    ]);
  });

  it("lets no name forge a line", () => {
    const name = "x\n- other (ConfigMap a at /b): signed by CN=Good";
    const { message = "" } =
      toResponse(decision("deny", [verdict("deny", [result([mismatch], tampered, name)])])).response.status ??
      {};
    expect(message.split("\n").filter((line) => line.startsWith("- "))).toHaveLength(1);
  });

  it("says of a ConfigMap which pod would break", () => {
    const broken = result([mismatch]);
    const mounted = { ...broken, reference: { ...broken.reference, mountedBy: "payments/etl-7" } };
    const { message } = toResponse(decision("deny", [verdict("deny", [mounted])])).response.status ?? {};
    expect(message).toContain("at /skills/data-designer, mounted by Pod payments/etl-7)");
  });

  it("allows with warnings, each on one short line, the last one counting the rest", () => {
    const findings = Array.from({ length: 30 }, (_, index) => ({
      ...added,
      path: `${index}${"x".repeat(200)}`,
    }));
    const { response } = toResponse(decision("warn", [verdict("warn", [result(findings)])]));
    expect(response.allowed).toBe(true);
    expect(response.warnings).toHaveLength(10);
    for (const warning of response.warnings ?? []) expect(warning.length).toBeLessThanOrEqual(256);
    expect(response.warnings?.[0]).toContain("payments: skill data-designer: FILE_UNSIGNED");
    for (const warning of response.warnings?.slice(0, 9) ?? [])
      expect(warning).toMatch(/; fix: remove the added file, or sign the skill with it$/);
    expect(response.warnings?.[9]).toBe(
      "and 21 more findings; fix: see up to 50 of them in the log of skill-admission",
    );
  });

  it("warns of what is accepted for a while only, except in mode Audit and beside a denial", () => {
    const message =
      "its signature counts until 2026-10-31T00:00:00Z, in 30 days: the certificates of its signer end";
    const ending = { ...result([]), ends: { at: 0, message } };
    const warnings = (one: Verdict) => toResponse(decision("allow", [one])).response.warnings;
    expect(warnings(verdict("allow", [ending, result([])]))).toEqual([
      `payments: skill data-designer: ${message}; fix: have it signed anew before, or use a newer release`,
    ]);
    expect(warnings({ ...verdict("allow", [ending]), mode: "Audit" })).toBeUndefined();
    const denied = decision("deny", [verdict("deny", [ending, result([mismatch])])]);
    expect(toResponse(denied).response.warnings).toBeUndefined();
  });

  it("keeps of a warning's remedy the clauses that fit, and all of it where it can", () => {
    const warned = (remedy: string, path: string): string | undefined => {
      const finding = { ...added, path, remedy };
      return toResponse(decision("warn", [verdict("warn", [result([finding])])])).response.warnings?.[0];
    };
    const remedy = `do ${"a".repeat(60)}, or do ${"b".repeat(60)}, or do ${"c".repeat(60)}`;
    expect(warned(remedy, "x")).toBe(
      `payments: skill data-designer: FILE_UNSIGNED x: was not signed; fix: do ${"a".repeat(60)}, or do ${"b".repeat(60)}`,
    );
    expect(warned(remedy, "y".repeat(200))).toMatch(/: was not signed; fix: do a{60}$/);
    expect(warned("do it", "x")).toBe(
      "payments: skill data-designer: FILE_UNSIGNED x: was not signed; fix: do it",
    );
    expect(warned("d".repeat(500), "x")?.length).toBeLessThanOrEqual(256);
    // No remedy of a reason is cut within a clause.
    for (const { remedy: own } of Object.values(reasonTexts))
      expect(warned(own, "y".repeat(200))).not.toMatch(/…$/);
  });

  it("cuts names and paths in their middle, and keeps code and reason", () => {
    const place: Finding = {
      code: "SOURCE_UNVERIFIABLE",
      message: `claim ${"c".repeat(200)} cannot be read at admission (/${"p".repeat(200)}/skills counts: it is HOME)`,
      remedy: reasonTexts.SOURCE_UNVERIFIABLE.remedy,
      tolerated: true,
    };
    const long: Verdict = {
      ...verdict("warn", [result([place], tampered, "n".repeat(253))]),
    };
    const [warning = ""] = toResponse(decision("warn", [long])).response.warnings ?? [];
    expect(warning.length).toBeLessThanOrEqual(256);
    expect(warning).toMatch(
      /^payments: skill n+…n+: SOURCE_UNVERIFIABLE claim c+…c+ cannot be read at admission \(\/p+…p*\/skills counts: it is HOME\); fix: deliver the skill as immutable ConfigMaps/,
    );
    const about = { ...subject, kind: "Deployment", name: "d".repeat(253), namespace: "s".repeat(63) };
    const denied = { ...long, mode: "Enforce" as const, skills: [result([{ ...place, tolerated: false }])] };
    expect(
      toResponse({ outcome: "warn", id: "1", subject: about, verdicts: [denied], trust: "sha256:7" }).response
        .warnings?.[0],
    ).toMatch(/^policy "payments" will deny the pods of Deployment s+.*d+$/);
  });

  it("says first when a policy will deny the pods of what it lets in", () => {
    const later: Verdict = { ...verdict("warn", [result([mismatch])]), mode: "Enforce" };
    const about = { ...subject, kind: "Deployment" };
    const { response } = toResponse({
      outcome: "warn",
      id: "7f3c1a9e",
      subject: about,
      verdicts: [later],
      trust,
    });
    expect(response.warnings?.[0]).toBe('policy "payments" will deny the pods of Deployment payments/etl');
    expect(response.warnings).toHaveLength(2);
    const tolerated: Verdict = { ...later, skills: [result([{ ...mismatch, tolerated: true }])] };
    for (const verdicts of [[tolerated], [{ ...later, mode: "Warn" as const }]])
      expect(toResponse(decision("warn", verdicts)).response.warnings).toHaveLength(1);
  });

  it("says nothing more of what was allowed, but leaves a trace in the audit log", () => {
    const { response } = toResponse(decision("allow", [verdict("allow", [result([])])]));
    expect(response).toEqual({
      uid: subject.uid,
      allowed: true,
      auditAnnotations: {
        decision: "allow 7f3c1a9e",
        policies: "payments=Enforce:allow",
        skills: `data-designer@${signed} (tampered) at /skills/data-designer`,
        trust,
        signers: `data-designer="${nvidia}" certificate f (tampered)`,
      },
    });
  });

  it("names in the audit log the rule by which something was let in unchecked", () => {
    expect(toResponse({ outcome: "allow", id: "1", subject, bypass: "no-skills" }).response).toEqual({
      uid: subject.uid,
      allowed: true,
      auditAnnotations: { decision: "allow 1", unchecked: "no-skills" },
    });
  });

  it("keeps annotations short and on one line, whatever names there are", () => {
    const hostile = `\u001b[2J\u202e\n${"x".repeat(5_000)}`;
    const skills = Array.from({ length: 300 }, (_, index) =>
      result([{ ...added, path: hostile }], undefined, `${hostile}${index}`),
    );
    const owners = skills.map(() => ({ apiVersion: hostile, kind: hostile, name: hostile }));
    const annotated = [
      toResponse(decision("deny", [verdict("deny", skills, hostile)], { owners })),
      toResponse({ outcome: "error", id: "1", subject, code: "INTERNAL", message: hostile }),
    ].flatMap(({ response }) => Object.entries(response.auditAnnotations ?? {}));
    expect(annotated).toHaveLength(10);
    for (const [key, value] of annotated) {
      expect(key).toMatch(/^[a-z]+$/);
      expect(value.length).toBeLessThanOrEqual(4000);
      expect(value).not.toMatch(/[\u001b\u202e\n]/);
    }
  });

  it("tells a review that failed apart from a denial", () => {
    const { response } = toResponse({
      outcome: "error",
      id: "7f3c1a9e",
      subject,
      code: "TIMEOUT",
      message: "too slow",
    });
    expect(response).toMatchObject({ allowed: false, status: { code: 500, reason: "InternalError" } });
    expect(response.status?.message).toContain("TIMEOUT too slow");
  });
});

describe("refusal", () => {
  it("denies, whatever came", () => {
    expect(refusal("u", 400, "bad\nline").response).toEqual({
      uid: "u",
      allowed: false,
      status: { code: 400, reason: "BadRequest", message: "bad\\u000aline" },
    });
    expect(refusal("", 500, "x").response.status?.reason).toBe("InternalError");
  });
});
