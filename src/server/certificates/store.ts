/**
 * The certificates that all replicas share, as files by name. What the names mean is `state.ts`'s affair; a store
 * keeps them as they are. A Secret of type Opaque with the files as `data` is enough.
 */
export interface StoredCertificates {
  /** Changes with every save, such as a Secret's resourceVersion. Opaque to everyone but the store. */
  readonly version: string;
  /** File name (`[-.a-z]+`) → text. May be anything: a store does not look into it. */
  readonly files: Readonly<Record<string, string>>;
}

/** Port: one place for the certificates, with optimistic concurrency, so that replicas agree without a leader. */
export interface CertificateStore {
  /**
   * What is stored, read live; undefined where nothing is.
   * @throws whatever says that the store could not be asked; the caller tries again later
   */
  load(signal: AbortSignal): Promise<StoredCertificates | undefined>;
  /**
   * Replaces what `previous` was read as; with `previous` undefined: creates, where nothing is stored yet.
   * @returns false when someone else was faster; nothing was written then, and the caller loads again
   * @throws like `load`
   */
  save(
    files: Readonly<Record<string, string>>,
    previous: StoredCertificates | undefined,
    signal: AbortSignal,
  ): Promise<boolean>;
}

/** Keeps certificates as long as the process lives: for `serve` without a cluster. */
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
