/** What a leader was told when it asked whether it still leads. */
export interface Confirmation {
  /** Aborts when the lead is lost. */
  readonly leadingSignal: AbortSignal;
  /** The installation that was told to stay unregistered. */
  readonly unregistered: string | undefined;
}

/** Who does what only one replica may do at a time. */
export interface Leadership {
  /** Begins to stand for election; until then somebody else leads. Where nothing is elected it does nothing. */
  campaign(): void;
  /** A signal that aborts when the lead is lost; undefined while somebody else leads. */
  leadingSignal(): AbortSignal | undefined;
  /**
   * Asks the API server: the answer holds for the moment. For what must not be done twice.
   * @returns undefined where somebody else leads, or nothing could be learnt
   */
  confirm(signal: AbortSignal): Promise<Confirmation | undefined>;
  /** Takes away the mark of an installation that is no more. */
  clearUnregistered(signal: AbortSignal): Promise<void>;
  /** Told when the lead is won or lost, and when the mark on the Lease changes. */
  onChange(listener: () => void): void;
  /** Gives the lead up, so that the next one need not wait. Safe to call twice. */
  close(): Promise<void>;
}

/** Whoever needs no election: one process by itself. */
export function soleLeader(): Leadership {
  const leadingSignal = new AbortController().signal;
  return {
    campaign: () => undefined,
    leadingSignal: () => leadingSignal,
    confirm: () => Promise.resolve({ leadingSignal, unregistered: undefined }),
    clearUnregistered: () => Promise.resolve(),
    onChange: () => undefined,
    close: () => Promise.resolve(),
  };
}
