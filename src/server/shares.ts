/** Bounds of something that clients share, in its own unit. */
export interface ShareLimit {
  readonly total: number;
  /** Most for one client, whether others need any or not. */
  readonly perClient: number;
}

/** One request's part of what is shared. */
export interface Share {
  /** Takes so much more. False: there is none to have, and nothing was taken. */
  take(amount: number): boolean;
  /** The client has done its part: time runs by the server's doing from now on. */
  settle(): void;
  /** Returns all of it; may be repeated. */
  release(): void;
}

interface Holding {
  readonly client: string;
  readonly since: number;
  readonly giveWay: () => void;
  amount: number;
  /** Waits for its client. */
  waiting: boolean;
}

interface Account {
  used: number;
  /** Oldest first. */
  readonly holdings: Set<Holding>;
}

/** Milliseconds after which a request that still waits for its client makes room for any other. */
export const slowAfter = 1000;

/**
 * Max-min fair shares per client, see `clientOf`. While there is room each client takes what it asks for, up to its
 * own limit. Once all is taken, a request makes room for another: first one that has waited for its client longer
 * than `slowAfter`, whosever it is; then one of the client that has most, as long as that has more than the asker. So
 * a newcomer always finds a place, and a client that floods takes it from itself. State is bounded by what is held.
 */
export class FairShares {
  readonly #limit: ShareLimit;
  readonly #now: () => number;
  readonly #accounts = new Map<string, Account>();
  #used = 0;

  /** @param now monotonic clock, milliseconds */
  constructor(limit: ShareLimit, now: () => number = () => performance.now()) {
    this.#limit = limit;
    this.#now = now;
  }

  /** Sum of all shares. */
  get used(): number {
    return this.#used;
  }

  /**
   * Opens a share of nothing yet.
   * @param giveWay runs when the share was taken away for another request
   */
  open(client: string, giveWay: () => void): Share {
    const holding: Holding = { client, since: this.#now(), giveWay, amount: 0, waiting: true };
    return {
      take: (amount) => this.#take(holding, amount),
      settle: () => void (holding.waiting = false),
      release: () => this.#release(holding),
    };
  }

  #take(holding: Holding, amount: number): boolean {
    const { client } = holding;
    for (;;) {
      const own = (this.#accounts.get(client)?.used ?? 0) + amount;
      const ownLimit = own > this.#limit.perClient;
      if (!ownLimit && this.#used + amount <= this.#limit.total) break;
      const other = ownLimit ? this.#slow(client) : (this.#slow() ?? this.#ofMost(own));
      if (other === undefined || other === holding) return false;
      this.#release(other);
      other.giveWay();
    }
    const account = this.#accounts.get(client) ?? { used: 0, holdings: new Set() };
    this.#accounts.set(client, account);
    account.holdings.add(holding);
    account.used += amount;
    holding.amount += amount;
    this.#used += amount;
    return true;
  }

  /** The holding, of one client or of any, that has waited for its client longest, and too long. */
  #slow(of?: string): Holding | undefined {
    const own = of === undefined ? undefined : this.#accounts.get(of);
    let oldest: Holding | undefined;
    for (const { holdings } of of === undefined ? this.#accounts.values() : own === undefined ? [] : [own])
      for (const one of holdings) if (one.waiting && one.since < (oldest?.since ?? Infinity)) oldest = one;
    return oldest !== undefined && this.#now() - oldest.since > slowAfter ? oldest : undefined;
  }

  /** A holding of the client with most, where it has more than this: one that waits for its client, else the oldest. */
  #ofMost(than: number): Holding | undefined {
    let most: Account | undefined;
    for (const account of this.#accounts.values()) if (account.used > (most?.used ?? than)) most = account;
    if (most === undefined) return undefined;
    return most.holdings.values().find(({ waiting }) => waiting) ?? most.holdings.values().next().value;
  }

  #release(holding: Holding): void {
    const account = this.#accounts.get(holding.client);
    if (account?.holdings.delete(holding) !== true) return;
    account.used -= holding.amount;
    this.#used -= holding.amount;
    holding.amount = 0;
    if (account.holdings.size === 0) this.#accounts.delete(holding.client);
  }
}
