/** Key pair of the server, and the authorities that callers must trust. All PEM. */
export interface ServingCertificate {
  readonly key: string;
  /** Leaf first, then any intermediates. */
  readonly cert: string;
  /**
   * The `caBundle` of the webhook configuration: every authority of a leaf in use or soon in use. Absent where
   * somebody else publishes it (certificates from files).
   */
  readonly caBundle?: string;
  /** End of the leaf, milliseconds since 1970. */
  readonly notAfter: number;
  /** End of the issuing authority, milliseconds since 1970; absent where it is not known. */
  readonly authorityNotAfter?: number;
}

/** The present certificate, and a subscription to its successors. */
export interface CertificateSource {
  current(): ServingCertificate;
  /** @returns the function that ends the subscription */
  onChange(listener: (certificate: ServingCertificate) => void): () => void;
}

/** Reasons why callers would reject the present certificate, for the readiness probe; empty without any. */
export function certificateProblems(source: CertificateSource, now: number): readonly string[] {
  const { notAfter } = source.current();
  if (now <= notAfter) return [];
  return [
    `the webhook's certificate expired at ${new Date(notAfter).toISOString()} and could not be renewed; see the log for why`,
  ];
}

/** A source with a setter. Listeners run only for a different certificate; one that throws does not stop the others. */
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
