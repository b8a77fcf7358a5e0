import { expect } from "vitest";
import type { SignatureEvidence } from "../../../../src/signature/signature-evidence.ts";
import { always } from "../../../../src/signature/validity.ts";
import { verifySignature } from "../../../../src/signature/verify.ts";
import type { Skill } from "../../../../src/skill/skill.ts";
import { guideFileOf, guideSkill, signManifest } from "../../../fixtures/guide-skill.ts";
import { withFiles } from "../../../fixtures/signed-skill.ts";

export const signed = guideSkill();
export const { skill, trust, key } = signed;
export const file = guideFileOf(signed.signature);
export const manifest = JSON.parse(file.manifest) as { files: Record<string, string>; skill_root: string };

export const verify = (changed: Skill): SignatureEvidence => verifySignature(changed, trust, Date.now());
export const withSignature = (text: string | Uint8Array): SignatureEvidence =>
  verify(withFiles(skill, { "skill.sig": text }));
/** Evidence of a skill whose trusted key signed this text. */
export const saying = (text: string): SignatureEvidence => withSignature(signManifest(text, key));
export const listing = (files: Readonly<Record<string, unknown>>): SignatureEvidence =>
  saying(JSON.stringify({ ...manifest, files }));

export const without = (object: object, field: string): object =>
  Object.fromEntries(Object.entries(object).filter(([name]) => name !== field));

export const malformed = (detail: string | RegExp) => ({
  outcome: "untrusted",
  format: "guide",
  fault: "MANIFEST_MALFORMED",
  detail: expect.stringMatching(detail) as string,
  selfConsistent: false,
  validity: always,
});
