/**
 * Certificates that all replicas share, as files by name; `state.ts` defines the names. A Secret of type Opaque with
 * the files as `data` is enough.
 */
export interface StoredCertificates {
  /** Changes with every save, such as a Secret's resourceVersion. Opaque outside the store. */
  readonly version: string;
  /** File name (`[-.a-z]+`) → text, which the store does not interpret. */
  readonly files: Readonly<Record<string, string>>;
}

/** Port: one place for the certificates, with optimistic concurrency, so that replicas agree without a leader. */
export interface CertificateStore {
  /**
   * Reads the stored certificates, uncached; undefined where there are none.
   * @throws any error where the store cannot be reached; the caller retries later
   */
  load(signal: AbortSignal): Promise<StoredCertificates | undefined>;
  /**
   * Replaces the state that was read as `previous`; undefined creates it, where nothing is stored yet.
   * @returns false where another replica was faster: nothing was written, and the caller loads again
   * @throws like `load`
   */
  save(
    files: Readonly<Record<string, string>>,
    previous: StoredCertificates | undefined,
    signal: AbortSignal,
  ): Promise<boolean>;
}

/** Keeps certificates in memory: for `serve` without a cluster. */
export function createMemoryStore(): CertificateStore {
  let stored: StoredCertificates | undefined;
  let saves = 0;
  return {
    load: () => Promise.resolve(stored),
    save(files, previous) {
      if (previous?.version !== stored?.version) return Promise.resolve(false);
      saves += 1;
      stored = { version: String(saves), files: { ...files } };
      return Promise.resolve(true);
    },
  };
}
