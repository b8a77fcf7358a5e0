import { messageOf } from "../api/client.ts";
import { reflectorDefaults, startReflector } from "../watch/reflector.ts";
import { RegistrationReconciler, type RegistrationDeps } from "./reconciler.ts";
import { webhookConfigurationName } from "./webhook-configuration.ts";
import { webhookConfigurations } from "./apply.ts";

/** A webhook that stays registered as it should be. */
export interface WebhookRegistration {
  /** Why it is not registered as it should be; empty when it is. */
  readiness(): readonly string[];
  /** Do callers trust these authorities (PEM) already: the registration has them all, as far as the watch has shown. */
  published(caBundle: string): boolean;
  /** What callers trust now, PEM; undefined before the first look, and empty where nothing is registered. */
  registeredBundle(): string | undefined;
  /** Looks anew, with what the options now are, for example after a new CA or after the lead was won. Never rejects. */
  refresh(): Promise<void>;
  close(): Promise<void>;
}

/** Keeps the webhook registered: anew, as long as we lead, whenever someone changes or deletes the registration. */
export function registerWebhook(deps: RegistrationDeps): WebhookRegistration {
  const { client, hooks, times = reflectorDefaults } = deps;
  const reconciler = new RegistrationReconciler(deps);
  const reflector = startReflector(
    client,
    {
      path: webhookConfigurations,
      fieldSelector: `metadata.name=${webhookConfigurationName}`,
      sink: reconciler.sink,
      onState: (healthy, lastSync) =>
        hooks.onWatchState?.("validatingwebhookconfigurations", healthy, lastSync),
      onFailure: (error) => hooks.onProblem(`the webhook's registration is not watched: ${messageOf(error)}`),
    },
    times,
  );
  deps.leadership.onChange(() => void reconciler.assert());
  return {
    readiness: () => (reconciler.problem === undefined ? [] : [reconciler.problem]),
    published: (caBundle) => reconciler.published(caBundle),
    registeredBundle: () => reconciler.registeredBundle(),
    refresh: () => reconciler.assert(),
    close: async () => {
      await Promise.all([reflector.close(), reconciler.close()]);
    },
  };
}
