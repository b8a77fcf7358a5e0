/** The confirmed lead, with the state of the Lease. */
export interface Confirmation {
  /** Aborts when the lead is lost. */
  readonly leadingSignal: AbortSignal;
  /** The installation that is to stay unregistered. */
  readonly unregistered: string | undefined;
}

/** Leadership among replicas, for work that only one may do at a time. */
export interface Leadership {
  /** Starts campaigning; until then another replica leads. Without election it does nothing. */
  campaign(): void;
  /** Signal that aborts when the lead is lost; undefined while another replica leads. */
  leadingSignal(): AbortSignal | undefined;
  /**
   * Confirms the lead at the API server, for work that must not be done twice. Holds for the moment.
   * @returns undefined if another replica leads, or the API server did not answer
   */
  confirm(signal: AbortSignal): Promise<Confirmation | undefined>;
  /** Removes the mark of an earlier installation from the Lease. */
  clearUnregistered(signal: AbortSignal): Promise<void>;
  /**
   * When the Lease was last renewed before this process took the lead, by whoever led, RFC 3339; undefined if that is not
   * known.
   */
  readonly ledBefore?: () => string | undefined;
  /** Runs after the lead is won or lost, and after the mark on the Lease changes. */
  onChange(listener: () => void): void;
  /** Releases the Lease, so that the next leader need not wait. Safe to call twice. */
  close(): Promise<void>;
}

/** Leadership without election: a process by itself. */
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
