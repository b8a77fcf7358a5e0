import type { Evidence } from "../../../../src/evidence/evidence.ts";
import type { SkillResult, Verdict } from "../../../../src/policy/finding.ts";
import type { Signer, SignatureEvidence } from "../../../../src/signature/signature-evidence.ts";
import { always } from "../../../../src/signature/validity.ts";
import type { SkillReference } from "../../../../src/skill/reference.ts";
import { SkillFile } from "../../../../src/skill/skill.ts";

const hex = (digit: string) => digit.repeat(64);

export const signer: Signer = {
  kind: "certificate",
  subject: "CN=Acme Signing 001, O=Acme, C=US",
  attributes: { CN: ["Acme Signing 001"] },
  fingerprint: hex("a"),
  publicKey: hex("b"),
  anchors: [hex("c")],
};

const common = { format: "oms", digest: `sha256:${hex("1")}`, signer, validity: always } as const;

export const signed: SignatureEvidence = { ...common, outcome: "signed", unlisted: [".gitignore"] };

export const tampered: SignatureEvidence = {
  ...common,
  outcome: "tampered",
  unlisted: [],
  differences: [
    { path: "a.md", change: "modified", signed: `sha256:${hex("3")}`, found: `sha256:${hex("9")}` },
    { path: "b.md", change: "added", found: `sha256:${hex("4")}` },
  ],
};

export const untrusted: SignatureEvidence = {
  ...common,
  outcome: "untrusted",
  fault: "UNTRUSTED_SIGNER",
  detail: "signed by nobody known",
  selfConsistent: true,
  differences: [],
};

export const unsigned: SignatureEvidence = {
  outcome: "unsigned",
  digest: `sha256:${hex("2")}`,
  validity: always,
};

export const evidence = (signature: SignatureEvidence): Evidence => ({
  signature,
  card: { faults: [] },
  validity: always,
});

export const reference: SkillReference = {
  name: "demo",
  path: "/skills/demo",
  containers: ["agent"],
  sources: [{ kind: "ConfigMap", name: "demo-1", immutable: true, writable: false }],
  content: {
    state: "resolved",
    skill: {
      name: "demo",
      files: new Map([
        ["b.md", new SkillFile(Buffer.from("b"))],
        ["a.md", new SkillFile(Buffer.from("a"))],
      ]),
    },
  },
};

export const result = (over: Partial<SkillResult> = {}): SkillResult => ({
  reference,
  grades: { integrity: "STRONG", authorship: "STRONG", freshness: "WEAK" },
  findings: [],
  ...over,
});

export const verdict = (over: Partial<Verdict> = {}): Verdict => ({
  policy: "payments",
  tenant: "payments",
  mode: "Enforce",
  outcome: "allow",
  skills: [result()],
  ...over,
});

export const mismatch = {
  code: "DIGEST_MISMATCH",
  path: "a.md",
  message: "changed since it was signed",
  signed: `sha256:${hex("3")}`,
  found: `sha256:${hex("9")}`,
  tolerated: false,
} as const;
