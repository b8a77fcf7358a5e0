import type { ClusterHooks } from "../../cluster/cluster.ts";
import type { Leadership } from "../../cluster/live/leader/leadership.ts";
import { readInstallation, withoutService } from "../../cluster/live/registration/installation.ts";
import type { RegistrationDeps } from "../../cluster/live/registration/reconciler.ts";
import {
  registerWebhook,
  type WebhookRegistration,
} from "../../cluster/live/registration/register-webhook.ts";
import type { WebhookOptions } from "../../cluster/live/registration/webhook-configuration.ts";
import type { Config } from "../../config.ts";
import { atBinding } from "../../evaluation/preset-node.ts";
import type { PolicyIndex, PolicySnapshot } from "../../policy/policy.ts";
import { joinBundles } from "../../server/certificates/bundle.ts";
import type { CertificateSource } from "../../server/certificates/certificate-source.ts";
import { bundleOf, fromFiles } from "../../server/certificates/state.ts";
import type { CertificateStore } from "../../server/certificates/store.ts";
import type { Log } from "../../telemetry/log.ts";
import { defined } from "../../text/fields.ts";
import type { Registration } from "../connected.ts";
import type { Reach } from "./reach.ts";
import { startedTrusted } from "./started-trusted.ts";

interface Parts {
  readonly hooks: ClusterHooks;
  readonly log: Log;
  readonly leadership: Leadership;
  readonly certificates: CertificateSource;
  readonly policies: PolicyIndex;
}

/** Keeps the webhook registered under its address. */
export function registrationOf(config: Config, reach: Reach, parts: Parts): Registration {
  const { hooks, log, leadership, certificates, policies } = parts;
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
      closingLabels: closingLabelsOf(policies.current()),
      ...defined({ bindings: bindingsBy(policies.current()) }),
      ...exemptionsOf(config),
    }),
  });
  return {
    ...registration,
    readiness: readinessOf(registration, config, reach, certificates),
    registered: () => registration.readiness().length === 0,
  };
}

/** How the API server asks about bindings, by the policies; undefined: not at all. */
export function bindingsBy({ policies }: PolicySnapshot): WebhookOptions["bindings"] {
  const demanding = atBinding(policies);
  if (demanding.length === 0) return undefined;
  return demanding.some(({ mode }) => mode === "Enforce") ? "Fail" : "Ignore";
}

/** The labels by which policies close pods, in an order that does not depend on that of the policies. */
const closingLabelsOf = ({ policies }: PolicySnapshot): readonly string[] =>
  [...new Set(policies.flatMap(({ closed }) => closed?.labels ?? []))].sort();

/** Namespaces without reviews. */
export const exemptionsOf = ({ namespace }: Config): { readonly controllerNamespace?: string } =>
  namespace === undefined ? {} : { controllerNamespace: namespace };

/** A single process is ready only once it is registered; among replicas another one may register. */
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
 * True for a mark of this installation, not of an earlier one. In a cluster also if the installation's Service is
 * gone: the installation is being removed, and must not register again.
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

/** The CA bundle that all replicas share: an outdated one of this process could cut the others off. */
async function sharedBundle(
  store: CertificateStore,
  certificates: CertificateSource,
  signal: AbortSignal,
): Promise<string> {
  const stored = await store.load(signal);
  const state = stored === undefined ? undefined : fromFiles(stored.files);
  return state === undefined ? (certificates.current().caBundle ?? "") : bundleOf(state);
}
