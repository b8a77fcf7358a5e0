import type { Evidence } from "../../evidence/evidence.ts";
import { layers, type Grade, type Grades, type Layer } from "../../evidence/grade.ts";
import { gradeScan } from "../../evidence/scan.ts";
import type { Finding } from "../../policy/finding.ts";
import type { SignatureEvidence, Signer } from "../../signature/signature-evidence.ts";
import type { Difference } from "../../signature/compare.ts";
import type { SkillReference } from "../../skill/reference.ts";

/** A signer in JSON output. */
function signerDocument(signer: Signer): object {
  switch (signer.kind) {
    case "certificate": {
      const { kind, subject, fingerprint, anchors } = signer;
      return { kind, subject, fingerprint, anchors };
    }
    case "key":
      return { kind: signer.kind, publicKey: signer.publicKey, names: signer.names };
    case "keyless": {
      const { kind, identity, issuer, claims, fingerprint, roots, signedAt } = signer;
      const time = signedAt === undefined ? {} : { signedAt: new Date(signedAt).toISOString() };
      return { kind, identity, issuer, ...time, claims, fingerprint, roots };
    }
    case "registry": {
      const { kind, hint, publicKey, names, skill, signedAt } = signer;
      const time = signedAt === undefined ? {} : { signedAt: new Date(signedAt).toISOString() };
      return { kind, hint, publicKey, names, ...time, hashes: skill.hashes };
    }
  }
}

const differenceDocument = ({ path, change, signed, found }: Difference): object => ({
  path,
  change,
  signed,
  found,
});

/** `signature` in JSON output: facts only. */
function signatureDocument(signature: SignatureEvidence): object {
  if (signature.outcome === "unsigned") return { outcome: "unsigned" };
  const { format, path, outcome, signer } = signature;
  const common = { format, path, outcome, signer: signer === undefined ? undefined : signerDocument(signer) };
  switch (signature.outcome) {
    case "signed":
      return { ...common, differences: [], unlisted: signature.unlisted };
    case "tampered":
      return { ...common, differences: signature.differences.map(differenceDocument) };
    case "untrusted":
      return {
        ...common,
        fault: signature.fault,
        detail: signature.detail,
        differences: (signature.differences ?? []).map(differenceDocument),
      };
  }
}

/** `signature` and `otherSignatures` in JSON output. */
export const signaturesDocument = (reference: SkillReference, evidence: Evidence | undefined): object =>
  evidence === undefined
    ? { signature: absentSignature(reference) }
    : {
        signature: signatureDocument(evidence.signature),
        ...(evidence.others === undefined ? {} : { otherSignatures: evidence.others.map(signatureDocument) }),
      };

/** `scan` in JSON output: the scanner's report and the grade of its evidence. */
export function scanDocument(evidence: Evidence | undefined): object {
  if (evidence?.scan === undefined) return {};
  const { scan, signature } = evidence;
  const grade = gradeScan(scan, signature);
  return {
    scan:
      scan.outcome === "read" ? { grade, ...scan.report } : { grade, path: scan.path, fault: scan.detail },
  };
}

/** A finding in JSON output. */
export const findingDocument = ({ code, path, message, signed, found, tolerated }: Finding): object => ({
  code,
  path,
  message,
  signed,
  found,
  ...(tolerated ? { tolerated } : {}),
});

const order: readonly Grade[] = ["STRONG", "MEDIUM", "WEAK", "UNVERIFIED", "ABSENT"];

/** The lowest grade of each layer over all policies; undefined without any. */
export function lowestGrades(all: readonly Grades[]): Grades | undefined {
  const [first, ...others] = all;
  if (first === undefined) return undefined;
  const lowest: Record<Layer, Grade> = { ...first };
  for (const layer of layers) {
    for (const { [layer]: grade } of others)
      if (order.indexOf(grade) > order.indexOf(lowest[layer])) lowest[layer] = grade;
  }
  return lowest;
}

/** `signature` of a reference without content. */
function absentSignature(reference: SkillReference): object {
  const { content } = reference;
  return content.state === "resolved"
    ? { outcome: "unavailable" }
    : { outcome: "unavailable", detail: content.detail };
}

/** Shortest name of a signer that its operators cannot mistake, for a table. */
export function signerName(signer: Signer | undefined): string {
  if (signer === undefined) return "-";
  // Names are `resource/entry`, such as `payments/release-key`.
  if (signer.kind === "key")
    return signer.names[0]?.split("/").at(-1) ?? `key ${signer.publicKey.slice(0, 12)}…`;
  if (signer.kind === "keyless") return signer.identity;
  if (signer.kind === "registry") return signer.hint;
  return /^CN=(.*?)(?:, [A-Z][A-Za-z]*=|$)/.exec(signer.subject)?.[1] ?? signer.subject;
}
