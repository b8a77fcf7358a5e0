import { createPublicKey, type KeyObject, type X509Certificate } from "node:crypto";

import { signatureFileName } from "../../signature/oms/manifest.ts";
import { guideSignatureFileName } from "../../signature/guide/manifest.ts";
import { signGuide } from "../../signature/guide/sign.ts";
import { verifyGuide } from "../../signature/guide/verify.ts";
import { keyHint } from "../../signature/key.ts";
import { gitPaths } from "../../signature/oms/ignore.ts";
import { signOms } from "../../signature/oms/sign.ts";
import { verifyOms } from "../../signature/oms/verify.ts";
import type { SignatureEvidence } from "../../signature/signature-evidence.ts";
import type { TrustMaterial } from "../../signature/trust-material.ts";
import type { Skill } from "../../skill/skill.ts";
import { besideWarnings } from "./sign-beside.ts";

/** Formats that `sign` writes. */
export type SignFormatName = "oms" | "guide";

/** With what a skill is signed. */
export interface SignMaterial {
  readonly key: KeyObject;
  readonly certificates?: readonly X509Certificate[];
  /** Paths of other signatures' files that this one leaves out; of OMS alone. */
  readonly leftOut?: readonly string[];
}

/** How `sign` makes a signature of one format. */
export interface SignFormat {
  /** The signature's file in the skill's folder. */
  readonly path: string;
  /** @throws SignatureError for what verification would refuse */
  readonly sign: (skill: Skill, material: SignMaterial) => Uint8Array;
  /** Checks what was just made. */
  readonly verify: (skill: Skill, trust: TrustMaterial, now: number) => SignatureEvidence;
  /** Is a file one that signatures of this format leave out, beside their own. */
  readonly leavesOut: (path: string) => boolean;
  /** How messages name the key where nobody trusts it; undefined where the format names none. */
  readonly hintOf: (key: KeyObject) => string | undefined;
}

const isRepository = (path: string): boolean => gitPaths.includes(path.split("/", 1)[0] ?? "");

export const signFormats: Readonly<Record<SignFormatName, SignFormat>> = {
  oms: {
    path: signatureFileName,
    sign: signOms,
    verify: (skill, trust, now) => verifyOms(skill, signatureFileName, trust, now),
    leavesOut: isRepository,
    hintOf: (key) => keyHint(createPublicKey(key)),
  },
  guide: {
    path: guideSignatureFileName,
    sign: (skill, { key }) => signGuide(skill, key),
    verify: (skill, trust) => verifyGuide(skill, guideSignatureFileName, trust),
    leavesOut: () => false,
    hintOf: () => undefined,
  },
};

/** The format that a key of this kind signs, where there is one. */
export function formatFor({ asymmetricKeyType }: KeyObject): SignFormatName | undefined {
  if (asymmetricKeyType === "ed25519") return "guide";
  return asymmetricKeyType === "ec" ? "oms" : undefined;
}

/** What the signer should know of the folder: files of a repository that change by themselves, a second signature. */
export function signWarnings(
  directory: string,
  skill: Skill,
  { path, leavesOut }: SignFormat,
  leftOut: readonly string[],
): readonly string[] {
  const repository = [...skill.files.keys()].find((file) => isRepository(file) && !leavesOut(file));
  const isSkill = ["SKILL.md", "skill.md"].some((name) => skill.files.has(name));
  return [
    ...(isSkill ? [] : [`${directory} has no SKILL.md; is it the folder of a skill?`]),
    ...(repository === undefined
      ? []
      : [`a repository's own files are signed too, such as ${repository}: sign a clean copy of the skill`]),
    ...besideWarnings(skill, path, leftOut),
  ];
}
