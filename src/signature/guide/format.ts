import type { FormatDescriptor, FormatSigning } from "../format.ts";
import type { KeyTrust } from "../trusted-key.ts";
import { guideSignatureFileName } from "./manifest.ts";
import { signGuide } from "./sign.ts";
import { verifyGuide } from "./verify.ts";

const signing: FormatSigning = {
  keyType: "ed25519",
  takesCertificates: false,
  sign: (skill, { key }) => signGuide(skill, key),
  leavesOut: () => false,
  hintOf: () => undefined,
};

/** The format of the guide to skill cards. The guide's code refuses every file that is not listed. */
export const guideFormat = {
  name: "guide",
  title: "skill card guide",
  file: guideSignatureFileName,
  proved: [guideSignatureFileName],
  unsigned: [],
  isIn: ({ files }) => files.has(guideSignatureFileName),
  verify: verifyGuide,
  passesOver: () => false,
  byRegistry: false,
  signing,
} as const satisfies FormatDescriptor<KeyTrust>;
