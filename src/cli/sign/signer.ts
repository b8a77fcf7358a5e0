import { createPublicKey } from "node:crypto";

import { keyFingerprint } from "../../signature/key.ts";
import { SignatureError } from "../../signature/signature-error.ts";
import type { Signer } from "../../signature/signature-evidence.ts";
import type { TrustMaterial } from "../../signature/trust-material.ts";
import type { Skill } from "../../skill/skill.ts";
import { UsageError } from "../command-line.ts";
import { formatFor, signFormats, type SignFormat, type SignMaterial } from "./sign-format.ts";

/** Who signs, ready to sign, and how what was signed is checked. */
export interface Signatory {
  /** @throws UsageError for what verification would refuse, or where nobody would sign */
  readonly sign: (skill: Skill) => Uint8Array | Promise<Uint8Array>;
  /** By what the signature is checked before it is written. */
  readonly trust: TrustMaterial;
  /** Is a signature that this trust does not prove refused. Roots of certificates are often not at hand. */
  readonly mustBeTrusted: boolean;
  /** What to do where the signature would not be accepted. */
  readonly remedy: string;
  /** How messages name a key that nobody trusts. */
  readonly hint?: string;
  /** Options by which `verify` trusts the signer. */
  readonly checkedBy: (signer: Signer | undefined) => string;
  /** What the signer should know. */
  readonly warning?: string;
}

function signByKey(skill: Skill, material: SignMaterial, format: SignFormat): Uint8Array {
  try {
    return format.sign(skill, material);
  } catch (cause) {
    if (!(cause instanceof SignatureError)) throw cause;
    const other = cause.code === "UNSUPPORTED_FORMAT" ? formatFor(material.key) : undefined;
    const remedy =
      other === undefined || signFormats[other] === format ? undefined : `sign with --format ${other}`;
    throw new UsageError(cause.message, remedy, { cause });
  }
}

/** Signs with a key, and with certificates that say whose it is, where there are any. */
export function keySignatory(material: SignMaterial, format: SignFormat): Signatory {
  const key = createPublicKey(material.key);
  const fingerprint = keyFingerprint(key);
  const hint = format.hintOf(material.key);
  return {
    sign: (skill) => signByKey(skill, material, format),
    trust: { version: fingerprint, anchors: [], keys: [{ names: [], fingerprint, key }] },
    mustBeTrusted: false,
    remedy: "use another key or certificate",
    ...(hint === undefined ? {} : { hint }),
    checkedBy: () =>
      material.certificates === undefined ? "--public-key PUBLIC_KEY_FILE" : "--certificate-chain ROOT_FILE",
  };
}
