import { expect } from "vitest";
import type { SignatureEvidence } from "../../../../src/signature/signature-evidence.ts";
import { verifySignature } from "../../../../src/signature/verify.ts";
import type { TrustMaterial } from "../../../../src/signature/trust-material.ts";
import type { Skill } from "../../../../src/skill/skill.ts";
import { bundleOf, manifestOf, vettSkill, type BundleDraft } from "../../../fixtures/vett-skill.ts";
import { skillFiles, withFiles } from "../../../fixtures/signed-skill.ts";

/** One delivered skill for all tests of a file: making a registry is slow. */
export const { skill, manifest, bundle, registry, trust } = await vettSkill();

export const files = skillFiles("data-designer");

const now = Date.now();

export const verify = (changed: Skill, by: TrustMaterial = trust): SignatureEvidence =>
  verifySignature(changed, by, now);

export const withBundle = (content: object | string | Uint8Array): SignatureEvidence =>
  verify(
    withFiles(skill, {
      "vett.sigstore.json":
        typeof content === "string" || content instanceof Uint8Array ? content : JSON.stringify(content),
    }),
  );

/** The same skill with another bundle over its manifest. */
export const redrafted = async (
  draft: BundleDraft,
  by: TrustMaterial = trust,
): Promise<SignatureEvidence> => {
  const other = await bundleOf(registry, manifest, draft);
  return verify(withFiles(skill, { "vett.sigstore.json": JSON.stringify(other) }), by);
};

/** The same skill with another manifest, signed by the registry. */
export async function saying(text: string): Promise<SignatureEvidence> {
  return verify(
    withFiles(skill, {
      "vett.manifest.json": text,
      "vett.sigstore.json": JSON.stringify(await bundleOf(registry, text)),
    }),
  );
}

export const manifestWith = (over: Readonly<Record<string, string | undefined>>): string => {
  const all = Object.entries({ ...files, ...over }).flatMap(([path, content]) =>
    content === undefined ? [] : [[path, content] as const],
  );
  return manifestOf(Object.fromEntries(all));
};

export const refused = (fault: string, words: string | RegExp) => ({
  outcome: "untrusted",
  format: "vett",
  fault,
  detail: expect.stringMatching(words) as string,
});

type Mutable = Record<string, unknown>;

/** The bundle with one member changed, by path such as `messageSignature.signature`; `undefined` removes it. */
export function changedAt(way: string, value: unknown): object {
  const copy = structuredClone(bundle) as Mutable;
  const steps = way.split(".");
  const last = steps.pop()!;
  const place = steps.reduce<Mutable>((part, step) => part[step] as Mutable, copy);
  // JSON leaves out undefined members.
  place[last] = value;
  return copy;
}
