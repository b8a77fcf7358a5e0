import { issuerIn } from "../../server/certificates/bundle.ts";
import type { CertificateSource } from "../../server/certificates/certificate-source.ts";

/**
 * Among replicas another one may register, and only once somebody is ready: that cannot be a condition of being so. But
 * a replica that starts must not take reviews by a certificate that callers, where there is a registration, do not
 * trust. Asked until it is so for the first time: what happens to the registration later must not take all replicas away.
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
