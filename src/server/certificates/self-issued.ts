import {
  createCertificateHolder,
  type CertificateSource,
  type ServingCertificate,
} from "./certificate-source.ts";
import { issuer as ownIssuer } from "./issuer.ts";
import { carryOut, plan, usable, type Issuer, type Step } from "./rotation.ts";
import { bundleOf, fromFiles, readCertificate, toFiles, type CertificateState } from "./state.ts";
import type { CertificateStore } from "./store.ts";

/** Time as the driver sees it; milliseconds. */
export interface Clock {
  now(): number;
  /** Resolves after that long; rejects when the signal aborts. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
}

export interface SelfIssuedOptions {
  /** DNS names and IP addresses under which callers reach the webhook. At least one. */
  readonly names: readonly string[];
  readonly store: CertificateStore;
  readonly clock: Clock;
  /** Ends the rotation. */
  readonly signal: AbortSignal;
  /** Told of everything that goes wrong; the present certificate is kept meanwhile. */
  readonly report: (problem: unknown) => void;
  /** Is this bundle where callers read it; a new authority waits for that. Without: time alone decides. */
  readonly published?: (caBundle: string) => boolean;
  /**
   * Is the upkeep of the shared certificates ours, as among replicas it is the leader's. Whose it is not takes only
   * the steps without which it could not serve itself. Without: it is.
   */
  readonly maintains?: () => boolean;
  /** Is given what has the store looked at before its time, as when the upkeep has become ours. */
  readonly prompted?: (look: () => void) => void;
  readonly issuer?: Issuer;
}

/** How often other replicas' work is looked for, at least: one read each time. */
const pollInterval = 30_000;
/** Steps and lost races in one go. A state settles in four at most; more means that somebody undoes them. */
const maxRounds = 16;
const firstRetry = 1000;
const lastRetry = 5 * 60_000;
/** One call to the store. */
const storeTimeout = 30_000;

/** The next wait after so many failures in a row: 1 s, doubling up to 5 min. */
export const retryDelay = (failures: number): number =>
  Math.min(lastRetry, firstRetry * 2 ** Math.min(failures - 1, 20));

/** The next step that is ours to take. */
function ownStep(
  state: CertificateState | undefined,
  { names, clock, published = () => true, maintains = () => true }: SelfIssuedOptions,
): Step {
  const now = clock.now();
  const step = plan(state, { names, now, published: state !== undefined && published(bundleOf(state)) });
  if (step.kind === "keep" || maintains() || !usable(state, names, now)) return step;
  return { kind: "keep", until: now + pollInterval };
}

/** One pass over the store: takes what steps are due until the state may be kept. */
async function settle(
  options: SelfIssuedOptions,
  present: CertificateState | undefined,
): Promise<{ readonly state: CertificateState; readonly until: number }> {
  const { store, names, clock, issuer = ownIssuer } = options;
  const limited = (): AbortSignal => AbortSignal.any([options.signal, AbortSignal.timeout(storeTimeout)]);
  for (let round = 0; round < maxRounds; round += 1) {
    const stored = await store.load(limited());
    const found = stored === undefined ? undefined : fromFiles(stored.files);
    // What was taken away or garbled is put back: an authority that nobody trusts yet would cut the webhook off.
    const state = found ?? present;
    const step = ownStep(state, options);
    if (step.kind !== "keep") {
      const next = await carryOut(step.kind, state, issuer, { names, now: clock.now() });
      // Whether it was saved or someone else was faster: what counts is what the store holds now.
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
 * Certificates from an authority of our own, shared by all replicas through a store: made where there are none,
 * rotated while the signal is not aborted.
 *
 * @returns once the first certificate is there; a store that fails is asked again with growing pauses
 * @throws the signal's reason when it aborts before that
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
