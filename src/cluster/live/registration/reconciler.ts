import type { KubernetesObject } from "../../../kubernetes/object.ts";
import type { ClusterHooks } from "../../cluster.ts";
import { ApiError, messageOf, type ApiClient } from "../api/client.ts";
import type { Leadership } from "../leader/leadership.ts";
import { unregisteredAnnotation } from "../leader/lease.ts";
import type { ObjectSink, ReflectorTimes } from "../watch/reflector.ts";
import { bundlesOf, trustAll } from "./ca-bundles.ts";
import { agrees, describeDrift } from "./drift.ts";
import {
  webhookConfiguration,
  webhookConfigurationName,
  type WebhookOptions,
} from "./webhook-configuration.ts";
import { applyConfiguration } from "./apply.ts";

/** What registering depends on. */
export interface RegistrationDeps {
  readonly client: ApiClient;
  readonly hooks: ClusterHooks;
  /**
   * What the configuration should be made from, asked each time anew: an old CA bundle that one replica writes over
   * the new one of another would cut the webhook off, so the bundle must come from where all replicas share it, or
   * keep what is registered (`registeredBundle`, PEM).
   */
  readonly options: (signal: AbortSignal, registeredBundle: string) => Promise<WebhookOptions>;
  /** Only a leader writes; everybody watches. */
  readonly leadership: Leadership;
  /** Must this mark on the Lease be honoured: does it stand for the present installation. */
  readonly honoursUnregister?: (unregistered: string, signal: AbortSignal) => Promise<boolean>;
  /**
   * Would the API server reach anybody: asked before the webhook is registered where it was not, since from that
   * moment on nothing gets past it.
   */
  readonly reachable?: (signal: AbortSignal) => Promise<boolean>;
  /**
   * Told whether the registration can be kept as it should be, at each change; not of each change that somebody made and
   * that was put back: `hooks.onProblem` and `hooks.onRepair` are.
   */
  readonly onState?: (registered: boolean) => void;
  readonly times?: ReflectorTimes;
  /** Milliseconds between two writes: two versions of the controller could disagree during an upgrade. */
  readonly writeInterval?: number;
}

/** Milliseconds after which a write that failed is tried again. */
const retryInterval = 5_000;
/** Milliseconds after which it is asked again whether the webhook can be reached, or the lead is ours. */
const pollInterval = 500;
const requestTimeout = 10_000;
/** Milliseconds for which the same change by somebody else is not told again. */
const silence = 10 * 60_000;

const toldToStayOut = `the webhook was unregistered by an operator and stays so, nothing is checked: take the annotation ${unregisteredAnnotation} off the Lease to register it again`;

/** Not registered as it should be, for a reason that is no fault. */
class NotNow extends Error {
  readonly retry: number | undefined;

  constructor(message: string, retry?: number) {
    super(message);
    this.retry = retry;
  }
}

/** Compares what is registered with what should be, and writes where that is ours to do. */
export class RegistrationReconciler {
  readonly #deps: RegistrationDeps;
  readonly #stop = new AbortController();
  /** Why the last look did not end well. */
  #failure: string | undefined = "the webhook is not registered yet";
  #present: KubernetesObject | undefined;
  /** Changes that the watch has shown. */
  #changes = 0;
  /** What was registered as it should be when it was last looked at. */
  #standing: KubernetesObject | undefined;
  #writing: Promise<void> = Promise.resolve();
  #scheduled: { readonly timer: NodeJS.Timeout; readonly due: number } | undefined;
  #lastWrite = -Infinity;
  /** Has the watch said what is registered. */
  #listed = false;
  #told: boolean | undefined;
  #reported: { readonly drift: string; readonly at: number } | undefined;

  constructor(deps: RegistrationDeps) {
    this.#deps = deps;
  }

  /** What the watch sees of the registration. */
  readonly sink: ObjectSink = {
    set: (_, object) => this.#see(object),
    delete: () => this.#see(undefined),
    keys: () => (this.#present === undefined ? [] : [webhookConfigurationName]),
    settled: () => {
      this.#listed = true;
      this.#schedule(Math.max(0, this.#lastWrite + (this.#deps.writeInterval ?? 2_000) - performance.now()));
    },
  };

  /**
   * Why the webhook is not registered as it should be; undefined when it is. Asked of what the watch shows: between two
   * repairs it is not so, however soon the next one comes.
   */
  get problem(): string | undefined {
    if (this.#failure !== undefined || !this.#drifted()) return this.#failure;
    return "the registration is not as it was: somebody has changed or deleted it";
  }

  /** Does every one of the webhooks trust all these authorities. */
  published(caBundle: string): boolean {
    return trustAll(bundlesOf(this.#present), caBundle);
  }

  /** What callers trust now, PEM; undefined before the first look, and empty where nothing is registered. */
  registeredBundle(): string | undefined {
    return this.#listed ? (bundlesOf(this.#present)[0] ?? "") : undefined;
  }

  /** Looks and writes, one after the other. */
  assert(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#assertOnce());
    return this.#writing;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#scheduled?.timer);
    await this.#writing;
  }

  #closed(): boolean {
    return this.#stop.signal.aborted;
  }

  #see(present: KubernetesObject | undefined): void {
    this.#present = present;
    this.#changes += 1;
  }

  /** Has somebody changed what stood as it should. */
  #drifted(): boolean {
    return this.#standing !== undefined && !agrees(this.#present, this.#standing);
  }

  #schedule(wait: number): void {
    const due = performance.now() + wait;
    if (this.#closed() || (this.#scheduled?.due ?? Infinity) <= due) return;
    clearTimeout(this.#scheduled?.timer);
    const timer = setTimeout(() => {
      this.#scheduled = undefined;
      void this.assert();
    }, wait);
    timer.unref();
    this.#scheduled = { timer, due };
  }

  async #assertOnce(): Promise<void> {
    // Before the first list nobody knows what is registered.
    if (this.#closed() || !this.#listed) return;
    const { hooks, options } = this.#deps;
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(requestTimeout)]);
    try {
      const wanted = webhookConfiguration(await options(signal, bundlesOf(this.#present)[0] ?? ""));
      if (!agrees(this.#present, wanted)) await this.#register(wanted, signal);
      this.#standing = wanted;
      this.#failure = undefined;
    } catch (error) {
      if (this.#closed()) return;
      this.#failed(error, hooks);
    }
    this.#tell(this.#failure === undefined);
  }

  #tell(registered: boolean): void {
    // What somebody else has to put back is for that one to tell.
    if (this.#told === true && this.#deps.leadership.leadingSignal() === undefined) return;
    if (registered !== this.#told) this.#deps.onState?.(registered);
    this.#told = registered;
  }

  #failed(error: unknown, hooks: ClusterHooks): void {
    if (error instanceof NotNow) {
      if (error.message === toldToStayOut && error.message !== this.#failure) hooks.onProblem(toldToStayOut);
      this.#failure = error.message;
      if (error.retry !== undefined) this.#schedule(error.retry);
      return;
    }
    // Somebody else has written meanwhile; the watch will show it.
    const conflict = error instanceof ApiError && (error.status === 409 || error.status === 404);
    const message = `the webhook could not be registered: ${messageOf(error)}`;
    if (message !== this.#failure && !conflict) hooks.onProblem(message);
    this.#failure = message;
    this.#schedule(conflict ? pollInterval : retryInterval);
  }

  async #register(wanted: KubernetesObject, signal: AbortSignal): Promise<void> {
    const { client, hooks, leadership, honoursUnregister, reachable } = this.#deps;
    if (leadership.leadingSignal() === undefined)
      throw new NotNow("the leader has not registered the webhook yet");
    if (this.#present === undefined && reachable !== undefined && !(await reachable(signal)))
      throw new NotNow("no replica is ready behind the Service yet", pollInterval);
    // Last of all: what was true before could have changed while others were asked.
    const confirmed = await leadership.confirm(signal);
    if (confirmed === undefined) throw new NotNow("the lead is not certain", pollInterval);
    const { leadingSignal, unregistered } = confirmed;
    if (unregistered !== undefined && honoursUnregister !== undefined) {
      if (await honoursUnregister(unregistered, signal)) {
        // What an operator took out is no repair when it comes back.
        this.#standing = undefined;
        throw new NotNow(toldToStayOut);
      }
      await leadership.clearUnregistered(signal);
    }
    const repairs = this.#drifted();
    if (repairs) this.#reportDrift();
    this.#lastWrite = performance.now();
    const seen = this.#changes;
    const written = await applyConfiguration(
      client,
      this.#present,
      wanted,
      AbortSignal.any([signal, leadingSignal]),
    );
    // What the watch has shown meanwhile may be newer: then it is for the watch to show ours, too.
    if (this.#changes === seen) this.#present = written;
    if (repairs) hooks.onRepair?.();
  }

  /** Names what somebody has changed, once for each change of what there is to say, and from time to time. */
  #reportDrift(): void {
    if (this.#standing === undefined) return;
    const drift = describeDrift(this.#present, this.#standing);
    const now = performance.now();
    if (this.#reported?.drift === drift && now - this.#reported.at < silence) return;
    this.#reported = { drift, at: now };
    this.#deps.hooks.onProblem(
      `the webhook's registration was changed, and is put back: ${drift}; find who does it and have them leave the ValidatingWebhookConfiguration "${webhookConfigurationName}" alone`,
    );
  }
}
