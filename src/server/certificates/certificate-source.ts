/** What the server serves with, and what callers must trust to talk to it. PEM throughout. */
export interface ServingCertificate {
  readonly key: string;
  /** Leaf first, then intermediates, where there are any. */
  readonly cert: string;
  /**
   * Every authority that a leaf in use, or soon in use, comes from: the `caBundle` of the webhook configuration.
   * Absent where someone else publishes it (certificates from files).
   */
  readonly caBundle?: string;
  /** When the leaf ends, milliseconds since 1970. */
  readonly notAfter: number;
  /** When the issuing authority ends; absent where it is not known. */
  readonly authorityNotAfter?: number;
}

/** The present certificate, and word when there is another one. */
export interface CertificateSource {
  current(): ServingCertificate;
  /** @returns a function that ends the subscription */
  onChange(listener: (certificate: ServingCertificate) => void): () => void;
}

/** Why the certificate in use would not be accepted now; empty when it would. For the readiness probe. */
export function certificateProblems(source: CertificateSource, now: number): readonly string[] {
  const { notAfter } = source.current();
  if (now <= notAfter) return [];
  return [
    `the webhook's certificate expired at ${new Date(notAfter).toISOString()} and could not be renewed; see the log for why`,
  ];
}

/** A source that somebody sets. Listeners are told only of what differs; one that throws does not stop the others. */
export function createCertificateHolder(
  first: ServingCertificate,
  report: (problem: unknown) => void,
): CertificateSource & { set(next: ServingCertificate): void } {
  let present = first;
  const listeners = new Set<(certificate: ServingCertificate) => void>();
  return {
    current: () => present,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    set(next) {
      const same =
        next.key === present.key && next.cert === present.cert && next.caBundle === present.caBundle;
      present = next;
      if (same) return;
      for (const listener of listeners) {
        try {
          listener(next);
        } catch (error) {
          report(error);
        }
      }
    },
  };
}
