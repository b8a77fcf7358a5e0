import { parseCertificate, type Certificate } from "../../x509/certificate.ts";
import { assertObject, decodeBase64, fieldOf, listOf, textOf, type JsonObject } from "../../json-fields.ts";
import type { SigstoreRoot } from "./sigstore-root.ts";

/**
 * Reads the certificates of each certificate authority of a trusted root.
 * @param root a trusted root that was checked before
 * @throws SignatureError MANIFEST_MALFORMED
 */
export function chainsOf(root: JsonObject): SigstoreRoot["chains"] {
  const field = "certificateAuthorities";
  if (fieldOf(root, field) === undefined) return [];
  return listOf(root, field, "the trusted root", Infinity).map((authority) => {
    const chain = assertObject(fieldOf(assertObject(authority, field), "certChain"), field);
    return listOf(chain, "certificates", field, Infinity).map((item) =>
      parseCertificate(decodeBase64(textOf(assertObject(item, field), "rawBytes", field), field), field),
    );
  });
}

function isIssuer(authority: Certificate, leaf: Certificate): boolean {
  try {
    return leaf.x509.verify(authority.publicKey);
  } catch {
    return false;
  }
}

/**
 * Finds the certificates above a signer's certificate whose chain to this root was proved before: a revocation of one
 * of them must reach the signature. Names find them; signatures decide only between several chains with the name.
 */
export function issuersAbove(
  leaf: Certificate,
  { chains }: Pick<SigstoreRoot, "chains">,
): readonly Certificate[] {
  const named = chains.flatMap((chain) => {
    const issuers = chain.filter(({ subjectId }) => subjectId === leaf.issuerId);
    return issuers.length === 0 ? [] : [{ chain, issuers }];
  });
  const certain =
    named.length === 1
      ? named
      : named.filter(({ issuers }) => issuers.some((authority) => isIssuer(authority, leaf)));
  return certain.flatMap(({ chain }) => chain);
}
