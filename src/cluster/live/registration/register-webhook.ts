import { messageOf } from "../api/client.ts";
import { reflectorDefaults, startReflector } from "../watch/reflector.ts";
import { RegistrationReconciler, type RegistrationDeps } from "./reconciler.ts";
import { webhookConfigurationName } from "./webhook-configuration.ts";
import { webhookConfigurations } from "./apply.ts";

/** A webhook whose registration is maintained. */
export interface WebhookRegistration {
  /** Reasons why it is not registered as expected; empty if it is. */
  readiness(): readonly string[];
  /** True if the registration, as last watched, has all these authorities (PEM). */
  published(caBundle: string): boolean;
  /** Registered CA bundle, PEM; undefined before the first list, empty without webhooks. */
  registeredBundle(): string | undefined;
  /** Checks again with the current options, for example after a new CA or after the lead was won. Never rejects. */
  refresh(): Promise<void>;
  close(): Promise<void>;
}

/** Keeps the webhook registered: as leader, restores the registration whenever it is changed or deleted. */
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
