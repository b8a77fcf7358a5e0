import { createPublicKey } from "node:crypto";

import type { SignMaterial } from "../../signature/format.ts";
import { formatOf, type SignableFormat } from "../../signature/formats.ts";
import { keyFingerprint } from "../../signature/key.ts";
import { SignatureError } from "../../signature/signature-error.ts";
import { signingFormats, type Signer as FoundSigner } from "../../signature/signature-evidence.ts";
import type { TrustMaterial } from "../../signature/trust-material.ts";
import type { Skill } from "../../skill/skill.ts";
import { UsageError } from "../command-line.ts";

/** Who signs, ready to sign, and how what was signed is checked. */
export interface Signer {
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
  readonly checkedBy: (signer: FoundSigner | undefined) => string;
  /** What the signer should know. */
  readonly warning?: string;
}

function signByKey(skill: Skill, material: SignMaterial, format: SignableFormat): Uint8Array {
  try {
    return format.signing.sign(skill, material);
  } catch (cause) {
    if (!(cause instanceof SignatureError)) throw cause;
    const { asymmetricKeyType } = material.key;
    const fitting = signingFormats.find((name) => formatOf[name].signing.keyType === asymmetricKeyType);
    const isOther = cause.code === "UNSUPPORTED_FORMAT" && fitting !== undefined && fitting !== format.name;
    const remedy = isOther ? `sign with --format ${fitting}` : undefined;
    throw new UsageError(cause.message, remedy, { cause });
  }
}

/** Signs with a key, and with certificates that say whose it is, where there are any. */
export function keySigner(material: SignMaterial, format: SignableFormat): Signer {
  const key = createPublicKey(material.key);
  const fingerprint = keyFingerprint(key);
  const hint = format.signing.hintOf(material.key);
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
