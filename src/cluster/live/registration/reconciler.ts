import type { KubernetesObject } from "../../../kubernetes/object.ts";
import type { ClusterHooks } from "../../cluster.ts";
import { ApiError, messageOf, type ApiClient } from "../api/client.ts";
import type { Leadership } from "../leader/leadership.ts";
import { unregisteredAnnotation } from "../leader/lease.ts";
import type { ObjectSink, ReflectorTimes } from "../watch/reflector.ts";
import { bundlesOf, trustAll } from "./ca-bundles.ts";
import { agrees } from "./drift.ts";
import { driftReporter } from "./drift-reporter.ts";
import { SettlingTeller } from "./settling-teller.ts";
import {
  webhookConfiguration,
  webhookConfigurationName,
  type WebhookOptions,
} from "./webhook-configuration.ts";
import { applyConfiguration } from "./apply.ts";

/** Input of the configuration, and for how long it is the right one. */
export interface RegistrationOptions extends WebhookOptions {
  /** Milliseconds after which to read it again; absent: until something changes. */
  readonly changesIn?: number;
}

/** How the webhook is registered: what the API server asks about, or why that is not known. */
export type CheckedRegistration = { readonly options: WebhookOptions } | { readonly problem: string };

export interface RegistrationDeps {
  readonly client: ApiClient;
  readonly hooks: ClusterHooks;
  /**
   * Input of the configuration, read again each time: an old CA bundle written over another replica's newer one
   * would cut the webhook off. The bundle must come from storage that replicas share, or keep `registeredBundle`
   * (PEM).
   */
  readonly options: (signal: AbortSignal, registeredBundle: string) => Promise<RegistrationOptions>;
  /** Only the leader writes; every replica watches. */
  readonly leadership: Leadership;
  /** Whether a mark on the Lease must be honoured: it names the present installation. */
  readonly honoursUnregister?: (unregistered: string, signal: AbortSignal) => Promise<boolean>;
  /**
   * Whether the API server can reach a replica: checked before the first webhook is registered, which blocks every
   * object in its scope while none answers.
   */
  readonly reachable?: (signal: AbortSignal) => Promise<boolean>;
  /**
   * Runs after each change of whether the registration can be kept as expected. Changes by others that were
   * repaired are reported by `hooks.onProblem` and `hooks.onRepair` instead.
   */
  readonly onState?: (registered: boolean) => void;
  /** Runs after each check, and after a write once every API server knows of it. */
  readonly onStanding?: (standing: CheckedRegistration) => void;
  readonly times?: ReflectorTimes;
  /** Milliseconds between two writes: two versions of the controller could disagree during an upgrade. */
  readonly writeInterval?: number;
}

/** Milliseconds before a failed write is repeated. */
const retryInterval = 5_000;
/** Milliseconds between two checks of reachability or of the lead. */
const pollInterval = 500;
const requestTimeout = 10_000;

const toldToStayOut = `the webhook was unregistered by an operator and stays so, nothing is checked: take the annotation ${unregisteredAnnotation} off the Lease to register it again`;

/** Not registered as expected, for a reason that is no fault. */
class NotNow extends Error {
  readonly retry: number | undefined;

  constructor(message: string, retry?: number) {
    super(message);
    this.retry = retry;
  }
}

/** Compares the registration with the expected one; the leader restores it. */
export class RegistrationReconciler {
  readonly #deps: RegistrationDeps;
  readonly #reportDrift: ReturnType<typeof driftReporter>;
  readonly #stop = new AbortController();
  /** Reason why the last check failed. */
  #failure: string | undefined = "the webhook is not registered yet";
  #present: KubernetesObject | undefined;
  /** Number of changes that the watch has shown. */
  #changes = 0;
  /** The registration as last verified. */
  #standing: KubernetesObject | undefined;
  #writing: Promise<void> = Promise.resolve();
  #scheduled: { readonly timer: NodeJS.Timeout; readonly due: number } | undefined;
  #lastWrite = -Infinity;
  /** True after the first list of the watch. */
  #listed = false;
  #told: boolean | undefined;
  readonly #standings: SettlingTeller<CheckedRegistration>;
  /** True while a check waits for its turn: it will see what is there by then. */
  #waiting = false;

  constructor(deps: RegistrationDeps) {
    this.#deps = deps;
    this.#standings = new SettlingTeller((standing) => deps.onStanding?.(standing));
    this.#reportDrift = driftReporter((message) => deps.hooks.onProblem(message));
  }

  /** Sink for the watch of the registration. */
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
   * Reason why the webhook is not registered as expected; undefined if it is. Follows the watch: drift counts until
   * it is repaired, however soon.
   */
  get problem(): string | undefined {
    if (this.#failure !== undefined || !this.#drifted()) return this.#failure;
    return "the registration is not as it was: somebody has changed or deleted it";
  }

  /** True if every webhook trusts all these authorities; without webhooks none has to. */
  published(caBundle: string): boolean {
    return this.#present !== undefined && trustAll(bundlesOf(this.#present), caBundle);
  }

  /** Registered CA bundle, PEM; undefined before the first list, empty without webhooks. */
  registeredBundle(): string | undefined {
    return this.#listed ? (bundlesOf(this.#present)[0] ?? "") : undefined;
  }

  /** Checks and repairs, one run at a time. */
  assert(): Promise<void> {
    if (this.#waiting) return this.#writing;
    this.#waiting = true;
    this.#writing = this.#writing.then(() => {
      this.#waiting = false;
      return this.#assertOnce();
    });
    return this.#writing;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#scheduled?.timer);
    this.#standings.close();
    await this.#writing;
  }

  #closed(): boolean {
    return this.#stop.signal.aborted;
  }

  #see(present: KubernetesObject | undefined): void {
    this.#present = present;
    this.#changes += 1;
  }

  /** True if a verified registration has been changed. */
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
    // Before the first list the registration is not known.
    if (this.#closed() || !this.#listed) return;
    const { hooks, options } = this.#deps;
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(requestTimeout)]);
    try {
      const { changesIn, ...asked } = await options(signal, bundlesOf(this.#present)[0] ?? "");
      if (changesIn !== undefined) this.#schedule(changesIn);
      const wanted = webhookConfiguration(asked);
      if (!agrees(this.#present, wanted)) await this.#register(wanted, signal);
      this.#standing = wanted;
      this.#failure = undefined;
      this.#standings.settles({ options: asked }, this.#lastWrite);
    } catch (error) {
      if (this.#closed()) return;
      this.#failed(error, hooks);
    }
    this.#tell(this.#failure === undefined);
  }

  /** Only the leader knows that it fails: another replica waits for it. */
  #fails(): void {
    if (this.#failure !== undefined && this.#deps.leadership.leadingSignal() !== undefined)
      this.#standings.now({ problem: this.#failure });
  }

  #tell(registered: boolean): void {
    // Only the leader reports lost registrations: followers cannot repair them.
    if (this.#told === true && this.#deps.leadership.leadingSignal() === undefined) return;
    if (registered !== this.#told) this.#deps.onState?.(registered);
    this.#told = registered;
  }

  #failed(error: unknown, hooks: ClusterHooks): void {
    if (error instanceof NotNow) {
      if (error.message === toldToStayOut && error.message !== this.#failure) hooks.onProblem(toldToStayOut);
      this.#failure = error.message;
      this.#fails();
      if (error.retry !== undefined) this.#schedule(error.retry);
      return;
    }
    // Written by another meanwhile; the watch will show it.
    const conflict = error instanceof ApiError && (error.status === 409 || error.status === 404);
    const message = `the webhook could not be registered: ${messageOf(error)}`;
    if (message !== this.#failure && !conflict) hooks.onProblem(message);
    this.#failure = message;
    if (!conflict) this.#fails();
    this.#schedule(conflict ? pollInterval : retryInterval);
  }

  async #register(wanted: KubernetesObject, signal: AbortSignal): Promise<void> {
    const { client, hooks } = this.#deps;
    const leadingSignal = await this.#mayWrite(wanted, signal);
    const repairs = this.#drifted();
    if (repairs) this.#reportDrift(this.#present, this.#standing);
    this.#lastWrite = performance.now();
    const seen = this.#changes;
    const written = await applyConfiguration(
      client,
      this.#present,
      wanted,
      AbortSignal.any([signal, leadingSignal]),
    );
    this.#lastWrite = performance.now();
    // The watch may have shown newer changes meanwhile; then it will show this write too.
    if (this.#changes === seen) this.#present = written;
    if (repairs) hooks.onRepair?.();
  }

  /**
   * @returns aborts once this process leads no more
   * @throws NotNow
   */
  async #mayWrite(wanted: KubernetesObject, signal: AbortSignal): Promise<AbortSignal> {
    const { leadership, honoursUnregister, reachable } = this.#deps;
    if (leadership.leadingSignal() === undefined)
      throw new NotNow("the leader has not registered the webhook yet");
    const isNew = this.#present === undefined || !this.#drifted();
    const isFirst = bundlesOf(this.#present).length === 0 && bundlesOf(wanted).length > 0;
    if (isNew && isFirst && reachable !== undefined && !(await reachable(signal)))
      throw new NotNow("no replica is ready behind the Service yet", pollInterval);
    // Confirmed last: the lead could have been lost during the earlier checks.
    const confirmed = await leadership.confirm(signal);
    if (confirmed === undefined) throw new NotNow("the lead is not certain", pollInterval);
    const { leadingSignal, unregistered } = confirmed;
    if (unregistered !== undefined && honoursUnregister !== undefined) {
      if (await honoursUnregister(unregistered, signal)) {
        // After an operator unregistered the webhook, its return is no repair.
        this.#standing = undefined;
        throw new NotNow(toldToStayOut);
      }
      await leadership.clearUnregistered(signal);
    }
    return leadingSignal;
  }
}
