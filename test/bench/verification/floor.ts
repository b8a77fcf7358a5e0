import { hash, verify, X509Certificate } from "node:crypto";
import { preAuthEncoding } from "../../../src/signature/sigstore/dsse.ts";
import type { Skill } from "../../../src/skill/skill.ts";

/** The least that any verifier must do for a skill: its parts, each to be timed. Every call does the whole work anew. */
export interface Floor {
  /** One check of the envelope's signature under the leaf's key. */
  readonly signature: () => void;
  /** SHA-256 over all bytes of the skill, in one piece. */
  readonly digest: () => void;
}

interface Bundle {
  readonly verificationMaterial: {
    readonly x509CertificateChain: { readonly certificates: readonly { readonly rawBytes: string }[] };
  };
  readonly dsseEnvelope: {
    readonly payload: string;
    readonly payloadType: string;
    readonly signatures: readonly { readonly sig: string }[];
  };
}

const digests: Readonly<Record<string, string>> = {
  prime256v1: "sha256",
  secp384r1: "sha384",
  secp521r1: "sha512",
};

export function floorOf({ files }: Skill): Floor {
  const text = Buffer.from(files.get("skill.oms.sig")?.bytes ?? []).toString();
  const { verificationMaterial, dsseEnvelope } = JSON.parse(text) as Bundle;
  const [leaf] = verificationMaterial.x509CertificateChain.certificates;
  const key = new X509Certificate(Buffer.from(leaf?.rawBytes ?? "", "base64")).publicKey;
  const algorithm = digests[key.asymmetricKeyDetails?.namedCurve ?? ""];
  const signed = preAuthEncoding(dsseEnvelope.payloadType, Buffer.from(dsseEnvelope.payload, "base64"));
  const signature = Buffer.from(dsseEnvelope.signatures[0]?.sig ?? "", "base64");
  const listed = [...files].filter(([path]) => path !== "skill.oms.sig").map(([, { bytes }]) => bytes);
  const all = Buffer.concat(listed);
  return {
    signature: () => {
      if (!verify(algorithm, signed, key, signature))
        throw new Error("the floor's own signature check failed");
    },
    digest: () => void hash("sha256", all, "buffer"),
  };
}
