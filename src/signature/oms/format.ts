import { createPublicKey } from "node:crypto";
import type { Skill } from "../../skill/skill.ts";
import type { FormatDescriptor, FormatSigning } from "../format.ts";
import { keyHint } from "../key.ts";
import { SignatureError } from "../signature-error.ts";
import { parseBundle } from "../sigstore/bundle.ts";
import { isGitPath } from "./ignore.ts";
import { signatureFileName } from "./manifest.ts";
import { omsStatement, signOms } from "./sign.ts";
import { parseStatement } from "./statement.ts";
import { verifyOms, type OmsTrust } from "./verify.ts";

/** Whether the signature ignores this path. An unreadable signature ignores none. */
function leavesRoomFor({ files }: Skill, path: string): boolean {
  try {
    const { payload } = parseBundle(files.get(signatureFileName)?.bytes ?? new Uint8Array());
    return parseStatement(payload).ignored.covers(path);
  } catch (cause) {
    if (cause instanceof SignatureError) return false;
    throw cause;
  }
}

const signing: FormatSigning = {
  keyType: "ec",
  takesCertificates: true,
  sign: signOms,
  statement: omsStatement,
  leavesOut: isGitPath,
  hintOf: (key) => keyHint(createPublicKey(key)),
};

/** OpenSSF Model Signing. model_signing 1.1 refuses every file that is neither listed nor ignored by the signature. */
export const omsFormat = {
  name: "oms",
  title: "OpenSSF Model Signing",
  file: signatureFileName,
  proved: [signatureFileName],
  unsigned: [],
  isIn: ({ files }) => files.has(signatureFileName),
  verify: verifyOms,
  passesOver: () => false,
  leavesRoomFor,
  byRegistry: false,
  signing,
} as const satisfies FormatDescriptor<OmsTrust>;
