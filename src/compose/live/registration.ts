import type { ClusterHooks } from "../../cluster/cluster.ts";
import type { Leadership } from "../../cluster/live/leader/leadership.ts";
import { readInstallation, withoutService } from "../../cluster/live/registration/installation.ts";
import type { RegistrationDeps } from "../../cluster/live/registration/reconciler.ts";
import {
  registerWebhook,
  type WebhookRegistration,
} from "../../cluster/live/registration/register-webhook.ts";
import type { Config } from "../../config.ts";
import { joinBundles } from "../../server/certificates/bundle.ts";
import type { CertificateSource } from "../../server/certificates/certificate-source.ts";
import { bundleOf, fromFiles } from "../../server/certificates/state.ts";
import type { CertificateStore } from "../../server/certificates/store.ts";
import type { Log } from "../../telemetry/log.ts";
import type { Registration } from "../connected.ts";
import type { Reach } from "./reach.ts";
import { startedTrusted } from "./started-trusted.ts";

interface Parts {
  readonly hooks: ClusterHooks;
  readonly log: Log;
  readonly leadership: Leadership;
  readonly certificates: CertificateSource;
}

/** Keeps the webhook registered under the address by which it is reached. */
export function registrationOf(config: Config, reach: Reach, parts: Parts): Registration {
  const { hooks, log, leadership, certificates } = parts;
  const { client, address, store, service } = reach;
  const registration = registerWebhook({
    client,
    hooks,
    leadership,
    ...(config.lease === undefined
      ? {}
      : { honoursUnregister: honoursUnregister(config.lease.namespace, config.service, reach) }),
    ...(service === undefined ? {} : { reachable: service.reachable }),
    onState: (registered) => {
      if (registered) log.info("registered");
    },
    options: async (signal, registeredBundle) => ({
      address,
      ...(service === undefined ? {} : { owner: await service.owner(signal) }),
      caBundle:
        config.tlsFiles === undefined
          ? await sharedBundle(store, certificates, signal)
          : joinBundles(certificates.current().caBundle, registeredBundle, Date.now()),
      timeoutSeconds: config.timeoutSeconds,
      ...exemptionsOf(config),
    }),
  });
  return {
    ...registration,
    readiness: readinessOf(registration, config, reach, certificates),
    registered: () => registration.readiness().length === 0,
  };
}

/** Namespaces that no review is asked for. */
export const exemptionsOf = ({ namespace }: Config): { readonly controllerNamespace?: string } =>
  namespace === undefined ? {} : { controllerNamespace: namespace };

/** A process by itself is not ready before it is registered; among replicas another one may register. */
function readinessOf(
  registration: WebhookRegistration,
  { lease }: Config,
  { service }: Reach,
  certificates: CertificateSource,
): () => readonly string[] {
  if (lease === undefined) return () => registration.readiness();
  if (service === undefined) return () => [];
  return startedTrusted(() => registration.registeredBundle(), certificates);
}

/**
 * A mark that was left for an installation before this one is not for us. In a cluster, one whose Service is gone is
 * being taken away: it registers nothing any more, whatever the mark.
 */
const honoursUnregister =
  (
    namespace: string,
    name: string,
    { client, service }: Reach,
  ): NonNullable<RegistrationDeps["honoursUnregister"]> =>
  async (mark, signal) => {
    const here = await readInstallation(client, namespace, name, signal);
    return mark === here || (service !== undefined && here === withoutService);
  };

/** The bundle as all replicas share it: an older one of this process could cut the others off. */
async function sharedBundle(
  store: CertificateStore,
  certificates: CertificateSource,
  signal: AbortSignal,
): Promise<string> {
  const stored = await store.load(signal);
  const state = stored === undefined ? undefined : fromFiles(stored.files);
  return state === undefined ? (certificates.current().caBundle ?? "") : bundleOf(state);
}
