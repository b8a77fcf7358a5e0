import { createPublicKey } from "node:crypto";

import { defined } from "../../text/fields.ts";
import type { SignMaterial } from "../../signature/format.ts";
import { formatOf, type SignableFormat } from "../../signature/formats.ts";
import { keyFingerprint } from "../../signature/key.ts";
import { SignatureError } from "../../signature/signature-error.ts";
import { signingFormats, type Signer as FoundSigner } from "../../signature/signature-evidence.ts";
import type { TrustMaterial } from "../../signature/trust-material.ts";
import type { Skill } from "../../skill/skill.ts";
import { UsageError } from "../command-line.ts";

/** A signer ready to sign, with the trust that checks its signature. */
export interface Signer {
  /** @throws UsageError if verification would refuse the skill, or the signer does */
  readonly sign: (skill: Skill) => Uint8Array | Promise<Uint8Array>;
  /** Trust that checks the signature before it is written. */
  readonly trust: TrustMaterial;
  /** True: a signature that this trust does not prove is refused. Root certificates are often not at hand. */
  readonly mustBeTrusted: boolean;
  /** Remedy if the signature would not be accepted. */
  readonly remedy: string;
  /** Name of an untrusted key in messages. */
  readonly hint?: string;
  /** Options by which `verify` trusts the signer. */
  readonly checkedBy: (signer: FoundSigner | undefined) => string;
  /** Warning to the signer. */
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

/** Makes a signer with a key, and with its certificates if there are any. */
export function keySigner(material: SignMaterial, format: SignableFormat): Signer {
  const key = createPublicKey(material.key);
  const fingerprint = keyFingerprint(key);
  const hint = format.signing.hintOf(material.key);
  return {
    sign: (skill) => signByKey(skill, material, format),
    trust: { version: fingerprint, anchors: [], keys: [{ names: [], fingerprint, key }] },
    mustBeTrusted: false,
    remedy: "use another key or certificate",
    ...defined({ hint }),
    checkedBy: () =>
      material.certificates === undefined ? "--public-key PUBLIC_KEY_FILE" : "--certificate-chain ROOT_FILE",
  };
}
