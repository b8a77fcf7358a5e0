import {
  createCertificateHolder,
  type CertificateSource,
  type ServingCertificate,
} from "./certificate-source.ts";
import { issuer as ownIssuer } from "./issuer.ts";
import { carryOut, plan, usable, type Issuer, type Step } from "./rotation.ts";
import { bundleOf, fromFiles, readCertificate, toFiles, type CertificateState } from "./state.ts";
import type { CertificateStore } from "./store.ts";

/** Clock of the rotation, milliseconds. */
export interface Clock {
  now(): number;
  /** Resolves after that time; rejects when the signal aborts. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
}

export interface SelfIssuedOptions {
  /** DNS names and IP addresses under which callers reach the webhook; at least one. */
  readonly names: readonly string[];
  readonly store: CertificateStore;
  readonly clock: Clock;
  /** Ends the rotation. */
  readonly signal: AbortSignal;
  /** Receives every fault; the present certificate stays meanwhile. */
  readonly report: (problem: unknown) => void;
  /** True if callers have this bundle: a new authority waits for that. Absent: only time decides. */
  readonly published?: (caBundle: string) => boolean;
  /**
   * True if this replica, as the leader, maintains the shared certificates. Other replicas take only the steps
   * without which they could not serve. Absent: it does.
   */
  readonly maintains?: () => boolean;
  /** Receives a function that makes the rotation read the store at once, as when this replica becomes the leader. */
  readonly prompted?: (look: () => void) => void;
  readonly issuer?: Issuer;
}

/** Longest time between reads of the store, which show other replicas' steps. */
const pollInterval = 30_000;
/** Most steps and lost races in one pass. A state settles in four; more means that another writer undoes them. */
const maxRounds = 16;
const firstRetry = 1000;
const lastRetry = 5 * 60_000;
/** Time limit of one call to the store, milliseconds. */
const storeTimeout = 30_000;

/** Wait after so many failures in a row: 1 s, doubling up to 5 min. */
export const retryDelay = (failures: number): number =>
  Math.min(lastRetry, firstRetry * 2 ** Math.min(failures - 1, 20));

/** The next step that this replica may take. */
function ownStep(
  state: CertificateState | undefined,
  { names, clock, published = () => true, maintains = () => true }: SelfIssuedOptions,
): Step {
  const now = clock.now();
  const step = plan(state, { names, now, published: state !== undefined && published(bundleOf(state)) });
  if (step.kind === "keep" || maintains() || !usable(state, names, now)) return step;
  return { kind: "keep", until: now + pollInterval };
}

/** One pass over the store: takes the steps that are due until the state may be kept. */
async function settle(
  options: SelfIssuedOptions,
  present: CertificateState | undefined,
): Promise<{ readonly state: CertificateState; readonly until: number }> {
  const { store, names, clock, issuer = ownIssuer } = options;
  const limited = (): AbortSignal => AbortSignal.any([options.signal, AbortSignal.timeout(storeTimeout)]);
  for (let round = 0; round < maxRounds; round += 1) {
    const stored = await store.load(limited());
    const found = stored === undefined ? undefined : fromFiles(stored.files);
    // A deleted or garbled state is restored: callers would not trust a new authority yet, and reviews would fail.
    const state = found ?? present;
    const step = ownStep(state, options);
    if (step.kind !== "keep") {
      const next = await carryOut(step.kind, state, issuer, { names, now: clock.now() });
      // The stored state counts, whether this save won or another replica was faster.
      await store.save(toFiles(next), stored, limited());
    } else if (state === undefined) {
      throw new Error("nothing to keep");
    } else if (found !== undefined || (await store.save(toFiles(state), stored, limited()))) {
      return { state, until: step.until };
    }
  }
  throw new Error(
    `the stored certificates did not settle in ${maxRounds} rounds: is something else writing to them, or do the clocks differ`,
  );
}

function servingOf(state: CertificateState): ServingCertificate {
  const leaf = readCertificate(state.leaf.cert);
  const authority = readCertificate(state.issuing.cert);
  return {
    key: state.leaf.key,
    cert: state.leaf.cert,
    caBundle: bundleOf(state),
    notAfter: leaf?.validToDate.getTime() ?? 0,
    authorityNotAfter: authority?.validToDate.getTime() ?? 0,
  };
}

/**
 * Serves certificates from an authority of our own, shared by all replicas through a store: created where there are
 * none, rotated until the signal aborts.
 *
 * @returns once the first certificate is there; a failing store is retried with growing pauses
 * @throws the signal's reason where it aborts before that
 */
export async function startSelfIssued(options: SelfIssuedOptions): Promise<CertificateSource> {
  const { clock, signal, report } = options;
  let failures = 0;
  let present: CertificateState | undefined;
  const attempt = async (): Promise<{ state?: CertificateState; wait: number }> => {
    try {
      const { state, until } = await settle(options, present);
      present = state;
      failures = 0;
      return { state, wait: Math.max(firstRetry, Math.min(pollInterval, until - clock.now())) };
    } catch (error) {
      signal.throwIfAborted();
      report(error);
      failures += 1;
      return { wait: retryDelay(failures) };
    }
  };
  let { state, wait } = await attempt();
  while (state === undefined) {
    await clock.sleep(wait, signal);
    ({ state, wait } = await attempt());
  }
  const holder = createCertificateHolder(servingOf(state), report);
  let prompt = new AbortController();
  options.prompted?.(() => prompt.abort());
  const untilDue = async (): Promise<void> => {
    const { signal: due } = prompt;
    if (!due.aborted)
      await clock.sleep(wait, AbortSignal.any([signal, due])).catch((error: unknown) => {
        if (!due.aborted) throw error;
      });
    signal.throwIfAborted();
    prompt = new AbortController();
  };
  void (async () => {
    for (;;) {
      await untilDue();
      const result = await attempt();
      wait = result.wait;
      if (result.state !== undefined) holder.set(servingOf(result.state));
    }
  })().catch((error: unknown) => {
    if (!signal.aborted) report(error);
  });
  return holder;
}
