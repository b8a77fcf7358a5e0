import { isDeepStrictEqual } from "node:util";
import type { KubernetesObject } from "../../workload/kubernetes-object.ts";
import type { ClusterHooks } from "../cluster.ts";
import { ApiError, messageOf, type ApiClient } from "./api-client.ts";
import type { Leadership } from "./leadership.ts";
import { unregisteredAnnotation } from "./lease.ts";
import type { ObjectSink, ReflectorTimes } from "./reflector.ts";
import {
  webhookConfiguration,
  webhookConfigurationName,
  type WebhookOptions,
} from "./webhook-configuration.ts";

/** Where webhook configurations are. */
export const webhookConfigurations = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
const fieldManager = "skill-admission";

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
  /** Must this mark on the Lease be heeded: does it stand for the present installation. */
  readonly heeds?: (unregistered: string, signal: AbortSignal) => Promise<boolean>;
  /**
   * Would the API server reach anybody: asked before the webhook is registered where it was not, since from that
   * moment on nothing gets past it.
   */
  readonly reachable?: (signal: AbortSignal) => Promise<boolean>;
  /** Told whether the registration is as it should be, at each change. */
  readonly onState?: (registered: boolean) => void;
  readonly times?: ReflectorTimes;
  /** Milliseconds between two writes: two versions of the controller could disagree during an upgrade. */
  readonly writeInterval?: number;
}

/** The uids of those with whom an object goes. */
function ownersOf({ metadata }: KubernetesObject): readonly string[] {
  const { ownerReferences = [] } = metadata as {
    readonly ownerReferences?: readonly { readonly uid: string }[];
  };
  return ownerReferences.map(({ uid }) => uid);
}

/** Is everything registered exactly as wanted: a field that someone added can narrow a webhook as well as one changed. */
const agrees = (present: KubernetesObject | undefined, wanted: KubernetesObject): boolean =>
  present !== undefined &&
  isDeepStrictEqual(present["webhooks"], wanted["webhooks"]) &&
  ownersOf(wanted).every((uid) => ownersOf(present).includes(uid));

async function write(
  client: ApiClient,
  present: KubernetesObject | undefined,
  wanted: KubernetesObject,
  signal: AbortSignal,
): Promise<KubernetesObject> {
  const path = `${webhookConfigurations}/${webhookConfigurationName}`;
  // With the version that was looked at: who has lost the lead without knowing must not undo what came after.
  const seen = present === undefined ? {} : { resourceVersion: versionOf(present).resourceVersion };
  const applied = await client.call({
    method: "PATCH",
    path: `${path}?fieldManager=${fieldManager}&force=true`,
    contentType: "application/apply-patch+yaml",
    body: { ...wanted, metadata: { ...(wanted.metadata as object), ...seen } },
    signal,
  });
  if (agrees(applied, wanted)) return applied;
  // Applying leaves fields and entries of other managers alone; here they would make the webhook miss objects.
  const replaced = await client.call({
    method: "PUT",
    path: `${path}?fieldManager=${fieldManager}`,
    body: { ...wanted, metadata: { ...(wanted.metadata as object), ...versionOf(applied) } },
    signal,
  });
  if (!agrees(replaced, wanted))
    throw new ApiError(0, `${webhookConfigurationName}: another admission plug-in changes the registration`);
  return replaced;
}

const versionOf = ({ metadata }: KubernetesObject): { resourceVersion: string; uid: string } => {
  const { resourceVersion, uid } = metadata as { readonly resourceVersion: string; readonly uid: string };
  return { resourceVersion, uid };
};

/** Milliseconds after which a write that failed is tried again. */
const retryInterval = 5_000;
/** Milliseconds after which it is asked again whether the webhook can be reached, or the lead is ours. */
const pollInterval = 500;
const requestTimeout = 10_000;

const toldToStayOut = `the webhook was unregistered by an operator and stays so, nothing is checked: take the annotation ${unregisteredAnnotation} off the Lease to register it again`;

/** Not registered as it should be, for a reason that is no fault. */
class NotNow extends Error {
  readonly retry: number | undefined;

  constructor(message: string, retry?: number) {
    super(message);
    this.retry = retry;
  }
}

interface RegisteredWebhook {
  readonly clientConfig?: { readonly caBundle?: string };
}

/** The certificates of a PEM bundle, each as text. */
const certificatesIn = (bundle: string): readonly string[] =>
  bundle.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];

/** Compares what is registered with what should be, and writes where that is ours to do. */
export class RegistrationKeeper {
  problem: string | undefined = "the webhook is not registered yet";
  readonly #deps: RegistrationDeps;
  readonly #stop = new AbortController();
  #present: KubernetesObject | undefined;
  #writing: Promise<void> = Promise.resolve();
  #scheduled: { readonly timer: NodeJS.Timeout; readonly due: number } | undefined;
  #lastWrite = -Infinity;
  /** Has the watch said what is registered. */
  #listed = false;
  #told: boolean | undefined;

  constructor(deps: RegistrationDeps) {
    this.#deps = deps;
  }

  /** What the watch sees of the registration. */
  readonly sink: ObjectSink = {
    set: (_, object) => {
      this.#present = object;
    },
    delete: () => {
      this.#present = undefined;
    },
    keys: () => (this.#present === undefined ? [] : [webhookConfigurationName]),
    settled: () => {
      this.#listed = true;
      this.#schedule(Math.max(0, this.#lastWrite + (this.#deps.writeInterval ?? 2_000) - performance.now()));
    },
  };

  /** Does every one of the webhooks trust all these authorities. */
  published(caBundle: string): boolean {
    const bundles = this.#bundles();
    const certificates = certificatesIn(caBundle);
    return bundles.length > 0 && bundles.every((bundle) => certificates.every((one) => bundle.includes(one)));
  }

  /** What callers trust now, PEM; undefined before the first look, and empty where nothing is registered. */
  registeredBundle(): string | undefined {
    return this.#listed ? (this.#bundles()[0] ?? "") : undefined;
  }

  /** The same for each webhook. */
  #bundles(): readonly string[] {
    const webhooks = (this.#present?.["webhooks"] ?? []) as readonly RegisteredWebhook[];
    return webhooks.map(({ clientConfig }) =>
      Buffer.from(clientConfig?.caBundle ?? "", "base64").toString("utf8"),
    );
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
      const wanted = webhookConfiguration(await options(signal, this.#bundles()[0] ?? ""));
      if (!agrees(this.#present, wanted)) await this.#register(wanted, signal);
      this.problem = undefined;
    } catch (error) {
      if (this.#closed()) return;
      this.#failed(error, hooks);
    }
    const registered = this.problem === undefined;
    if (registered !== this.#told) this.#deps.onState?.(registered);
    this.#told = registered;
  }

  #failed(error: unknown, hooks: ClusterHooks): void {
    if (error instanceof NotNow) {
      if (error.message === toldToStayOut && error.message !== this.problem) hooks.onProblem(toldToStayOut);
      this.problem = error.message;
      if (error.retry !== undefined) this.#schedule(error.retry);
      return;
    }
    // Somebody else has written meanwhile; the watch will show it.
    const conflict = error instanceof ApiError && (error.status === 409 || error.status === 404);
    const message = `the webhook could not be registered: ${messageOf(error)}`;
    if (message !== this.problem && !conflict) hooks.onProblem(message);
    this.problem = message;
    this.#schedule(conflict ? pollInterval : retryInterval);
  }

  async #register(wanted: KubernetesObject, signal: AbortSignal): Promise<void> {
    const { client, leadership, heeds, reachable } = this.#deps;
    if (leadership.term() === undefined) throw new NotNow("the leader has not registered the webhook yet");
    if (this.#present === undefined && reachable !== undefined && !(await reachable(signal)))
      throw new NotNow("no replica is ready behind the Service yet", pollInterval);
    // Last of all: what was true before could have changed while others were asked.
    const confirmed = await leadership.confirm(signal);
    if (confirmed === undefined) throw new NotNow("the lead is not certain", pollInterval);
    const { term, unregistered } = confirmed;
    if (unregistered !== undefined && heeds !== undefined) {
      if (await heeds(unregistered, signal)) throw new NotNow(toldToStayOut);
      await leadership.clearUnregistered(signal);
    }
    this.#lastWrite = performance.now();
    this.#present = await write(client, this.#present, wanted, AbortSignal.any([signal, term]));
  }
}
