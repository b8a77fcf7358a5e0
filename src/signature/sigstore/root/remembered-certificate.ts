import type { SigstoreRoot } from "./sigstore-root.ts";

/** A certificate of `@sigstore/verify`, and a part of its ASN.1. */
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
 * Caches a library certificate's DER and the result of its signature check for each issuer. The library asks for both
 * repeatedly: it rebuilds the whole chain for every stated time, up to the root's self-signature. Results depend only
 * on the bytes of the two certificates, which never change, not on time or trust. The cache lives as long as the
 * objects: a trusted root's while it is in force, a signer's for one verification.
 * @returns the certificate itself
 */
export function rememberedCertificate(certificate: LibraryCertificate): LibraryCertificate {
  rememberDer(certificate.root);
  rememberChecks(certificate);
  return certificate;
}
