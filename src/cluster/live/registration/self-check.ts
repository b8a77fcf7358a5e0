import { selfCheckName } from "../../../admission/self-check.ts";
import { ApiError, type ApiClient } from "../api/client.ts";

/** Milliseconds between two checks, and after one that found a fault. */
const interval = 60_000;
const retryInterval = 10_000;
/** Longer than the API server waits for a webhook. */
const requestTimeout = 40_000;

/** What a check found: the webhook was asked, or why it was not; undefined where nothing can be said. */
export type Answered = true | { readonly problem: string } | undefined;

/** The API server's words when it has no answer of a webhook (k8s.io/apiserver, `webhook.ErrCallingWebhook`). */
const failedCall = /failed calling webhook "[^"]*": (.*)$/s;
/** The API server's end of a connection: its port is another each time, and the fault the same. */
const ownEnd = /[^\s:]\S*:\d+->/g;

/**
 * Asks the API server to ask this webhook: a dry run of a Lease about which one webhook of the registration is asked, under
 * the same address and authority as all others. Finds a wrong port, Service, authority or network.
 * @param namespace in which leases may be created
 */
export async function askItself(
  client: ApiClient,
  namespace: string,
  signal: AbortSignal,
): Promise<Answered> {
  try {
    await client.call({
      method: "POST",
      path: `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases?dryRun=All`,
      body: { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { name: selfCheckName } },
      signal: AbortSignal.any([signal, AbortSignal.timeout(requestTimeout)]),
    });
    return true;
  } catch (error) {
    const [, reason] = (error instanceof ApiError && failedCall.exec(error.message)) || [];
    return reason === undefined ? undefined : { problem: reason.replaceAll(ownEnd, "") };
  }
}

export interface SelfCheckDeps {
  readonly ask: (signal: AbortSignal) => Promise<Answered>;
  /** Whether this process is the one that asks, and there is something to ask about. */
  readonly due: () => boolean;
  /** Runs after each check that can tell; undefined: the webhook was asked. */
  readonly onAnswer: (problem: string | undefined) => void;
}

/** Checks in a loop whether the registration leads anywhere. */
export class SelfCheck {
  readonly #deps: SelfCheckDeps;
  readonly #stop = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(deps: SelfCheckDeps) {
    this.#deps = deps;
  }

  /** Checks at once, and from then on again and again. */
  start(): void {
    clearTimeout(this.#timer);
    this.#running = this.#running.then(() => this.#check());
  }

  async close(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#timer);
    await this.#running;
  }

  #closed(): boolean {
    return this.#stop.signal.aborted;
  }

  async #check(): Promise<void> {
    const { signal } = this.#stop;
    if (this.#closed()) return;
    let answered: Answered;
    if (this.#deps.due()) {
      answered = await this.#deps.ask(signal);
      if (this.#closed()) return;
      if (answered !== undefined) this.#deps.onAnswer(answered === true ? undefined : answered.problem);
    } else this.#deps.onAnswer(undefined);
    clearTimeout(this.#timer);
    const wait = typeof answered === "object" ? retryInterval : interval;
    this.#timer = setTimeout(() => this.start(), wait).unref();
  }
}
