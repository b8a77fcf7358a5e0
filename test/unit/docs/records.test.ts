import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { Decision } from "../../../src/admission/decision.ts";
import { auditAnnotations } from "../../../src/admission/response/audit-annotations.ts";
import { toResponse } from "../../../src/admission/response/response.ts";
import { changeRecords } from "../../../src/compose/change-records.ts";
import type { SkillResult } from "../../../src/policy/finding.ts";
import type { Signer } from "../../../src/signature/signature-evidence.ts";
import { createLog } from "../../../src/telemetry/log.ts";
import { createTelemetry } from "../../../src/telemetry/telemetry.ts";
import { bypassed, decided, failed, finding, skillResult, verdict } from "../telemetry/decisions.ts";

const page = join(import.meta.dirname, "../../../docs/records.md");

let sections: ReadonlyMap<string, string>;
beforeAll(async () => {
  const text = await readFile(page, "utf8");
  sections = new Map(
    text.split(/^## /m).map((section) => [section.slice(0, section.indexOf("\n")), section] as const),
  );
});

/** The first column of a section's table. */
const told = (section: string): readonly string[] =>
  [...(sections.get(section) ?? "").matchAll(/^\| `([^`]+)`/gm)].map(([, field = ""]) => field).sort();

/** Fields of a line, by their way from its top. */
function fieldsOf(value: unknown, at = ""): readonly string[] {
  if (at === "error" || typeof value !== "object" || value === null) return [at];
  if (Array.isArray(value))
    return typeof value[0] === "string" ? [at] : value.flatMap((one) => fieldsOf(one, `${at}[]`));
  return Object.entries(value).flatMap(([key, one]) => fieldsOf(one, at === "" ? key : `${at}.${key}`));
}

const signers: readonly Signer[] = [
  { kind: "key", publicKey: "01", names: ["ours/release"] },
  { kind: "certificate", subject: "CN=R", fingerprint: "ab", publicKey: "cd", attributes: {}, anchors: [] },
  {
    ...{ kind: "keyless", identity: "a@b", issuer: "i", fingerprint: "ab", publicKey: "cd" },
    ...{ claims: {}, roots: [], signedAt: 0 },
  },
  {
    ...{ kind: "registry", hint: "h", publicKey: "45", names: [], registries: [] },
    skill: { name: "s", hashes: [] },
  },
];

/** A skill with everything that may be said of one. */
function full(signer: Signer): SkillResult {
  const plain = skillResult(Array.from({ length: 60 }, () => finding({ tolerated: true })));
  const evidence = plain.evidence!;
  const signature = { ...evidence.signature, signer } as typeof evidence.signature;
  return {
    ...plain,
    reference: { ...plain.reference, mountedBy: "payments/etl" },
    evidence: { ...evidence, signature, others: [evidence.signature] },
  };
}

const owner = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "etl-5d4f", uid: "u-1" };
const everything = decided([verdict({ generation: 7, skills: signers.map(full) })], "deny", {
  owners: Array.from({ length: 9 }, () => owner),
});
const manySkills = decided([verdict({ skills: Array.from({ length: 41 }, () => full(signers[0]!)) })]);
const manyPolicies = decided(
  Array.from({ length: 21 }, () => verdict({ outcome: "warn", mode: "Warn" })),
  "warn",
);
const letIn: Decision = { ...failed(new Error("why")), letInBy: "Warn" } as Decision;

describe("docs/records.md", () => {
  it("names every field of the log's record of a decision, and no other", () => {
    let text = "";
    const log = createLog("debug", { write: (chunk: string) => (text += chunk) });
    const decisions = [everything, manySkills, manyPolicies, bypassed, letIn];
    for (const decision of decisions) log.decision(decision, 2000, "10.0.0.7");
    const lines = text.trimEnd().split("\n");
    expect(lines).toHaveLength(decisions.length);
    const fields = new Set(lines.flatMap((line) => fieldsOf(JSON.parse(line) as unknown)));
    expect([...fields].sort()).toEqual(told("The log's record of a decision"));
  });

  it("names every field of the log's record of a change, and no other", () => {
    let text = "";
    const destination = { write: (chunk: string) => (text += chunk) };
    const telemetry = createTelemetry({ version: "1", revision: "r", logLevel: "info", destination });
    const records = changeRecords(telemetry);
    const many = Array.from({ length: 31 }, (_, index) => `n${index}`);
    const writer = { manager: "kubectl-edit", time: "2026-11-30T12:00:00Z" };
    const labels = [{ key: "tenant", before: "a", after: "b" }];
    records.onChanges({
      resources: [
        {
          ...{ kind: "ClusterSkillPolicy", name: "payments", uid: "u-1", change: "weakened" },
          ...{ before: 1, after: 2, what: ["mode: Enforce → Audit"], writer },
          namespaces: { entered: many, left: many },
        },
      ],
      trust: { before: "sha256:1", after: "sha256:2" },
    });
    records.onNamespaceChange({
      ...{ name: "payments", entered: ["a"], left: ["b"], isGoverned: true, labels, writer },
    });
    const lines = text.trimEnd().split("\n");
    expect(lines).toHaveLength(3);
    const fields = new Set(lines.flatMap((line) => fieldsOf(JSON.parse(line) as unknown)));
    expect([...fields].sort()).toEqual(told("What changes of all that decides"));
  });

  it("names every annotation, and no other", () => {
    if (!("verdicts" in everything)) throw new Error("not judged");
    const keys = [
      ...Object.keys(auditAnnotations(everything)),
      ...Object.keys(toResponse(bypassed).response.auditAnnotations ?? {}),
    ];
    expect([...new Set(keys)].sort()).toEqual(told("Annotations of the audit log"));
  });
});
