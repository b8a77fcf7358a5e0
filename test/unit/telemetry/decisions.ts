import type { Decision, ReviewSubject } from "../../../src/admission/decision.ts";
import type { Finding, SkillResult, Verdict } from "../../../src/policy/finding.ts";
import { SkillFile } from "../../../src/skill/skill.ts";
import { subject } from "../../fixtures/review-subject.ts";

export const finding = (more: Partial<Finding> = {}): Finding => ({
  code: "DIGEST_MISMATCH",
  message: "signed 3f8e44cb…, found 91ac02d7…",
  path: "scripts/run.sh",
  tolerated: false,
  ...more,
});

export const skillResult = (findings: readonly Finding[], name = "data-designer"): SkillResult => ({
  reference: {
    name,
    path: `/skills/${name}`,
    containers: ["agent"],
    sources: [{ kind: "ConfigMap", name: "skills-etl", immutable: true, writable: false }],
    content: {
      state: "resolved",
      skill: { name, files: new Map([["SKILL.md", new SkillFile(Buffer.alloc(2000, 0x61))]]) },
    },
  },
  evidence: {
    signature: {
      outcome: "tampered",
      unlisted: [],
      format: "oms",
      digest: `sha256:${"0".repeat(64)}`,
      signer: { kind: "key", publicKey: "0".repeat(64), names: ["team"] },
      differences: [],
      validity: { notBefore: 0, notAfter: 1 },
    },
    card: { faults: [] },
    validity: { notBefore: 0, notAfter: 1 },
  },
  grades: { integrity: "ABSENT", authorship: "STRONG", freshness: "UNVERIFIED" },
  findings,
});

export const verdict = (more: Partial<Verdict> = {}): Verdict => ({
  policy: "payments",
  tenant: "payments",
  mode: "Enforce",
  outcome: "deny",
  skills: [skillResult([finding()])],
  ...more,
});

/** Version of the trust by which these decisions are made. */
export const trust = `sha256:${"7".repeat(64)}`;

export const decided = (
  verdicts: readonly Verdict[],
  outcome: "allow" | "warn" | "deny" = "deny",
  about: Partial<ReviewSubject> = {},
): Decision => ({ outcome, id: "7f3c1a9e", subject: { ...subject, ...about }, verdicts, trust });

export const bypassed: Decision = { outcome: "allow", id: "7f3c1a9e", subject, bypass: "no-skills" };

export const failed = (cause?: unknown): Decision => ({
  outcome: "error",
  id: "7f3c1a9e",
  subject,
  code: "INTERNAL",
  message: "an unexpected fault",
  ...(cause === undefined ? {} : { cause }),
});
