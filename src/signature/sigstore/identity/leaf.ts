import { parseCertificate, type Certificate } from "../../x509/certificate.ts";
import { decodeBase64 } from "../../json-fields.ts";
import { curveDigest } from "../../key.ts";
import { malformed, SignatureError, unsupported } from "../../signature-error.ts";

const codeSigning = "1.3.6.1.5.5.7.3.3";

/** Decides by the key, not by the names. A certificate whose key cannot verify is not self-signed. */
function isSelfSigned({ x509, publicKey }: Certificate): boolean {
  try {
    return x509.verify(publicKey);
  } catch {
    return false;
  }
}

/**
 * Reads the signer's certificate, the first of a bundle. The others are not used, for the chain comes from the trusted
 * root; a self-signed one is refused, for it asks to be trusted.
 * @param texts base64 of the DER, leaf first
 * @throws SignatureError MANIFEST_MALFORMED
 */
export function readLeaf(texts: readonly string[]): Certificate {
  const [leaf, ...others] = texts.map((text, at) => {
    const where = `certificate ${at + 1} of the bundle`;
    return parseCertificate(decodeBase64(text, where), where);
  });
  if (leaf === undefined) throw malformed("the bundle holds no certificate");
  if ([leaf, ...others].some(isSelfSigned))
    throw malformed("the bundle brings a self-signed certificate; roots come from trust roots alone");
  return leaf;
}

/**
 * Asserts that a certificate may sign code: key usage digitalSignature and extended key usage codeSigning, both
 * required (sigstore-python, `_verify_common`), and no unsupported critical extension. `@sigstore/verify` checks none
 * of this.
 * @throws SignatureError BAD_SIGNATURE or UNSUPPORTED_FORMAT
 */
export function assertMaySignCode({ extensions, publicKey }: Certificate): void {
  if (curveDigest(publicKey) === undefined)
    throw unsupported("the signing certificate's key is not on P-256, P-384 or P-521");
  if (extensions.unknownCritical.length > 0)
    throw unsupported("the signing certificate has a critical extension that is not understood");
  const fits =
    !extensions.authority &&
    extensions.keyUsage?.digitalSignature === true &&
    extensions.extendedKeyUsage?.includes(codeSigning) === true;
  if (!fits) {
    throw new SignatureError(
      "BAD_SIGNATURE",
      "the signing certificate may not sign code: it needs key usage digitalSignature and extended key usage codeSigning",
    );
  }
}
