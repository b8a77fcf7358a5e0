import { isDeepStrictEqual } from "node:util";
import type { KubernetesObject } from "../../workload/kubernetes-object.ts";
import type { ClusterHooks } from "../cluster.ts";
import { ApiError, messageOf, type ApiClient } from "./api-client.ts";
import { reflectorDefaults, startReflector, type ObjectSink, type ReflectorTimes } from "./reflector.ts";
import {
  webhookConfiguration,
  webhookConfigurationName,
  type WebhookOptions,
} from "./webhook-configuration.ts";

const collection = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
const fieldManager = "skill-admission";

/** A webhook that stays registered as it should be. */
export interface WebhookRegistration {
  /** Why it is not registered as it should be; empty when it is. */
  readiness(): readonly string[];
  /** Registers anew with what the options now are, for example after a new CA. Never rejects. */
  refresh(): Promise<void>;
  close(): Promise<void>;
}

/** What registering depends on. */
export interface RegistrationDeps {
  readonly client: ApiClient;
  readonly hooks: ClusterHooks;
  /**
   * What the configuration should be made from, asked each time anew: an old CA bundle that one replica writes over
   * the new one of another would cut the webhook off, so the bundle must come from where all replicas share it.
   */
  readonly options: (signal: AbortSignal) => Promise<WebhookOptions>;
  readonly times?: ReflectorTimes;
  /** Milliseconds between two writes: two versions of the controller could disagree during an upgrade. */
  readonly writeInterval?: number;
}

const requestTimeout = 10_000;

/** Is everything registered exactly as wanted: a field that someone added can narrow a webhook as well as one changed. */
const agrees = (present: KubernetesObject | undefined, wanted: KubernetesObject): boolean =>
  present !== undefined && isDeepStrictEqual(present["webhooks"], wanted["webhooks"]);

async function write(client: ApiClient, wanted: KubernetesObject, signal: AbortSignal): Promise<void> {
  const path = `${collection}/${webhookConfigurationName}`;
  const applied = await client.call({
    method: "PATCH",
    path: `${path}?fieldManager=${fieldManager}&force=true`,
    contentType: "application/apply-patch+yaml",
    body: wanted,
    signal,
  });
  if (agrees(applied, wanted)) return;
  // Applying leaves fields and entries of other managers alone; here they would make the webhook miss objects.
  const { resourceVersion, uid } = applied.metadata as {
    readonly resourceVersion: string;
    readonly uid: string;
  };
  const replaced = await client.call({
    method: "PUT",
    path: `${path}?fieldManager=${fieldManager}`,
    body: { ...wanted, metadata: { ...(wanted.metadata as object), resourceVersion, uid } },
    signal,
  });
  if (!agrees(replaced, wanted))
    throw new ApiError(0, `${webhookConfigurationName}: another admission plug-in changes the registration`);
}

/** Registers the webhook, and registers it again whenever someone changes or deletes the registration. */
export function registerWebhook(deps: RegistrationDeps): WebhookRegistration {
  const { client, hooks, times = reflectorDefaults } = deps;
  const keeper = new RegistrationKeeper(deps);
  const reflector = startReflector(
    client,
    {
      path: collection,
      fieldSelector: `metadata.name=${webhookConfigurationName}`,
      sink: keeper.sink,
      onState: (healthy, lastSync) =>
        hooks.onWatchState?.("validatingwebhookconfigurations", healthy, lastSync),
      onFailure: (error) => hooks.onProblem(`the webhook's registration is not watched: ${messageOf(error)}`),
    },
    times,
  );
  return {
    readiness: () => (keeper.problem === undefined ? [] : [keeper.problem]),
    refresh: () => keeper.assert(true),
    close: async () => {
      await Promise.all([reflector.close(), keeper.close()]);
    },
  };
}

/** Milliseconds after which a write that failed is tried again. */
const retryInterval = 5_000;

class RegistrationKeeper {
  problem: string | undefined = "the webhook is not registered yet";
  readonly #deps: RegistrationDeps;
  readonly #stop = new AbortController();
  #present: KubernetesObject | undefined;
  #writing: Promise<void> = Promise.resolve();
  #scheduled: NodeJS.Timeout | undefined;
  #lastWrite = -Infinity;

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
    settled: () =>
      this.#schedule(Math.max(0, this.#lastWrite + (this.#deps.writeInterval ?? 2_000) - performance.now())),
  };

  /** One after the other; `force` writes also what looks right. */
  assert(force: boolean): Promise<void> {
    this.#writing = this.#writing.then(() => this.#assertOnce(force));
    return this.#writing;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#scheduled);
    await this.#writing;
  }

  #schedule(wait: number): void {
    if (this.#scheduled !== undefined || this.#stop.signal.aborted) return;
    this.#scheduled = setTimeout(() => {
      this.#scheduled = undefined;
      void this.assert(false);
    }, wait);
    this.#scheduled.unref();
  }

  async #assertOnce(force: boolean): Promise<void> {
    if (this.#stop.signal.aborted) return;
    const { client, hooks, options } = this.#deps;
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(requestTimeout)]);
    try {
      const wanted = webhookConfiguration(await options(signal));
      if (force || !agrees(this.#present, wanted)) {
        this.#lastWrite = performance.now();
        await write(client, wanted, signal);
      }
      this.problem = undefined;
    } catch (error) {
      const message = `the webhook could not be registered: ${messageOf(error)}`;
      if (message !== this.problem) hooks.onProblem(message);
      this.problem = message;
      this.#schedule(retryInterval);
    }
  }
}
