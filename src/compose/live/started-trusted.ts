import { issuerIn } from "../../server/certificates/bundle.ts";
import type { CertificateSource } from "../../server/certificates/certificate-source.ts";

/**
 * Readiness of a starting replica: its certificate must come from an authority that the registration trusts, where
 * the webhook is registered. Registration itself is no condition: another replica may register, and waits for a ready
 * one. Once trusted, the replica stays ready: a later change of the registration must not take out all replicas.
 */
export function startedTrusted(
  bundle: () => string | undefined,
  certificates: Pick<CertificateSource, "current">,
): () => readonly string[] {
  let trusted = false;
  return () => {
    const registered = bundle();
    trusted ||= registered === "" || issuerIn(registered ?? "", certificates.current().cert) !== undefined;
    if (trusted) return [];
    return registered === undefined
      ? ["it is not known yet how the webhook is registered"]
      : ["the webhook is registered with another authority than that of the certificate served here"];
  };
}
