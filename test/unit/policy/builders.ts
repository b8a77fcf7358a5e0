import { createHash, type KeyObject } from "node:crypto";
import type { CardEvidence, SkillCard } from "../../../src/card/skill-card.ts";
import type { Evidence } from "../../../src/evidence/evidence.ts";
import { compileObjects } from "../../fixtures/compile.ts";
import type { Finding } from "../../../src/policy/finding.ts";
import { judge } from "../../../src/policy/judge.ts";
import type { Policy } from "../../../src/policy/policy.ts";
import type { SignatureEvidence, Signer } from "../../../src/signature/signature-evidence.ts";
import { always } from "../../../src/signature/validity.ts";
import type { SkillContent, SkillReference, SourceUse } from "../../../src/skill/reference.ts";
import { SkillFile } from "../../../src/skill/skill.ts";
import type { KubernetesObject } from "../../../src/kubernetes/object.ts";
import { publicKey, publishers, type Spec } from "./resource-cases.ts";
import { clusterSkillPolicy, skillTrustRoot } from "../../fixtures/resources.ts";

/** The moment at which these tests judge. */
export const now = Date.parse("2026-10-01T00:00:00Z");

export const policyObject = (spec: Spec = {}, name = "p"): KubernetesObject =>
  clusterSkillPolicy(name, { publishers, ...spec });

export const rootObject = (spec: Spec, name = "r"): KubernetesObject => skillTrustRoot(name, spec);

/** A policy as reviews get it; the resource must be in order. */
export function policyOf(spec: Spec = {}, roots: readonly KubernetesObject[] = []): Policy {
  const { policies, problems } = compileObjects([policyObject(spec)], roots);
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  return policies[0]!;
}

export const keyFingerprint = (key: KeyObject | string): string => {
  const der =
    typeof key === "string"
      ? Buffer.from(key.replaceAll(/-----.*-----|\s/g, ""), "base64")
      : key.export({ type: "spki", format: "der" });
  return createHash("sha256").update(der).digest("hex");
};

/** Signer by the key that `policyOf` trusts by default. */
export const trustedSigner: Signer = { kind: "key", publicKey: keyFingerprint(publicKey), names: ["p/team"] };

export const stranger: Signer = { kind: "key", publicKey: "ab".repeat(32), names: ["other/key"] };

const digest = `sha256:${"0".repeat(64)}` as const;

export const signed = (
  signer: Signer = trustedSigner,
  unlisted: readonly string[] = [],
): SignatureEvidence => ({
  outcome: "signed",
  format: "oms",
  digest,
  signer,
  unlisted,
  validity: always,
});

export const tampered = (
  differences: Extract<SignatureEvidence, { outcome: "tampered" }>["differences"],
  signer: Signer = trustedSigner,
): SignatureEvidence => ({
  outcome: "tampered",
  unlisted: [],
  format: "oms",
  digest,
  signer,
  differences,
  validity: always,
});

export const untrusted = (
  fault: Extract<SignatureEvidence, { outcome: "untrusted" }>["fault"],
  selfConsistent = false,
): SignatureEvidence => ({
  outcome: "untrusted",
  format: "oms",
  fault,
  detail: `about ${fault}`,
  selfConsistent,
  validity: always,
});

export const unsigned: SignatureEvidence = { outcome: "unsigned", digest, validity: always };

export const evidenceOf = (signature: SignatureEvidence, card: CardEvidence = { faults: [] }): Evidence => ({
  signature,
  card,
  validity: always,
});

/** A card that fills everything. */
export const card = (changes: Partial<SkillCard> = {}): SkillCard => ({
  format: "skill-card.md",
  path: "skill-card.md",
  name: "etl",
  version: "1.0.0",
  description: "Moves data.",
  intent: "Moves data.",
  owner: "Team",
  license: { raw: "Apache-2.0", spdx: "Apache-2.0" },
  useCase: "Moving data.",
  geography: "Global",
  posture: "commercial",
  risks: [{ text: "It may lose data.", mitigation: "Keep a copy." }],
  limitations: ["small data"],
  permissions: ["Read"],
  dependencies: ["python"],
  references: [{ url: "https://example.com" }],
  credentials: "no",
  ...changes,
});

export const configMap = (changes: Partial<SourceUse> = {}): SourceUse => ({
  kind: "ConfigMap",
  name: "skills-etl",
  immutable: true,
  writable: false,
  ...changes,
});

export const resolved: SkillContent = {
  state: "resolved",
  skill: { name: "etl", files: new Map([["SKILL.md", new SkillFile(Buffer.from("x"))]]) },
};

export const reference = (changes: Partial<SkillReference> = {}): SkillReference => ({
  name: "etl",
  path: "/skills/etl",
  containers: ["agent"],
  sources: [configMap()],
  content: resolved,
  ...changes,
});

/** Findings about a skill, each as `CODE`, `CODE path`, with `~` in front where it is tolerated. */
export const codes = (findings: readonly Finding[]): readonly string[] =>
  findings.map(
    ({ code, path, tolerated }) => `${tolerated ? "~" : ""}${code}${path === undefined ? "" : ` ${path}`}`,
  );

export const judged = (
  policy: Policy,
  signature: SignatureEvidence,
  options: {
    readonly card?: CardEvidence;
    readonly reference?: Partial<SkillReference>;
    readonly now?: number;
  } = {},
): readonly string[] =>
  codes(
    judge(policy, reference(options.reference), evidenceOf(signature, options.card), options.now ?? now)
      .findings,
  );
