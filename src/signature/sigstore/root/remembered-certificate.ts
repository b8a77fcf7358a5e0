import type { SigstoreRoot } from "./sigstore-root.ts";

/** A certificate as `@sigstore/verify` reads it, and a part of its ASN.1. */
type LibraryCertificate = SigstoreRoot["authorities"]["certificateAuthorities"][number]["certChain"][number];
type Part = LibraryCertificate["root"];

function rememberDer(part: Part): void {
  for (const sub of part.subs) rememberDer(sub);
  const write = part.toDER.bind(part);
  let der: Buffer | undefined;
  part.toDER = () => (der ??= write());
}

function rememberChecks(certificate: LibraryCertificate): void {
  const check = certificate.verify.bind(certificate);
  const answers = new WeakMap<LibraryCertificate, boolean>();
  certificate.verify = (issuer) => {
    const key = issuer ?? certificate;
    let answer = answers.get(key);
    if (answer === undefined) {
      answer = check(issuer);
      answers.set(key, answer);
    }
    return answer;
  };
}

/**
 * Lets a certificate that the library just read write its DER once, and check its signature once for each issuer. The library
 * asks for both again and again: it builds the whole chain anew for every stated time, up to the root's signature under
 * its own key. What is remembered follows from the bytes of the two certificates alone, which nobody changes; neither time
 * nor trust is in it. It goes with the objects: those of a trusted root as long as it is in force, a signer's after one
 * verification.
 * @returns the certificate itself
 */
export function rememberedCertificate(certificate: LibraryCertificate): LibraryCertificate {
  rememberDer(certificate.root);
  rememberChecks(certificate);
  return certificate;
}
