import type { ClusterHooks } from "../../cluster/cluster.ts";
import type { Leadership } from "../../cluster/live/leader/leadership.ts";
import { readInstallation, withoutService } from "../../cluster/live/registration/installation.ts";
import type { RegistrationDeps } from "../../cluster/live/registration/reconciler.ts";
import {
  registerWebhook,
  type WebhookRegistration,
} from "../../cluster/live/registration/register-webhook.ts";
import type { StatusWriter } from "../../cluster/live/status/writer.ts";
import { RecentlyGoverned } from "../../cluster/live/registration/recently-governed.ts";
import { alwaysExempt, type Scope } from "../../cluster/live/registration/scope.ts";
import type { Config } from "../../config.ts";
import { atBinding } from "../../evaluation/preset-node.ts";
import { governedBy } from "../../policy/coverage.ts";
import type { PolicyIndex, PolicySnapshot } from "../../policy/policy.ts";
import { joinBundles } from "../../server/certificates/bundle.ts";
import type { CertificateSource } from "../../server/certificates/certificate-source.ts";
import { bundleOf, fromFiles } from "../../server/certificates/state.ts";
import type { CertificateStore } from "../../server/certificates/store.ts";
import type { Log } from "../../telemetry/log.ts";
import { defined } from "../../text/fields.ts";
import type { Registration } from "../connected.ts";
import type { Reach } from "./reach.ts";
import { followStanding, selfCheckIn } from "./standing.ts";
import { startedTrusted } from "./started-trusted.ts";

interface Parts {
  readonly hooks: ClusterHooks;
  readonly log: Log;
  readonly leadership: Leadership;
  readonly certificates: CertificateSource;
  readonly policies: PolicyIndex;
  /** Is told how the webhook is registered. */
  readonly status: Pick<StatusWriter, "setRegistration">;
}

/** Keeps the webhook registered under its address. */
export function registrationOf(config: Config, reach: Reach, parts: Parts): Registration {
  const { hooks, log, leadership, certificates, policies } = parts;
  const { client, address, store, service } = reach;
  const [recent, recentBindings] = [new RecentlyGoverned(), new RecentlyGoverned()];
  const standing = followStanding(config, { client, ...parts });
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
    onStanding: standing.onStanding,
    options: async (signal, registeredBundle) => {
      const owner = await service?.owner(signal);
      const caBundle =
        config.tlsFiles === undefined
          ? await sharedBundle(store, certificates, signal)
          : joinBundles(certificates.current().caBundle, registeredBundle, Date.now());
      // Read last: what was read before may have taken its time.
      const snapshot = policies.current();
      const all = recent.including(governedBy(snapshot.policies));
      const bound = recentBindings.including(governedBy(atBinding(snapshot.policies)));
      const changesIn = Math.min(all.narrowsIn ?? Infinity, bound.narrowsIn ?? Infinity);
      return {
        address,
        ...defined({ owner }),
        caBundle,
        timeoutSeconds: config.timeoutSeconds,
        failurePolicy: config.failurePolicy,
        closingLabels: closingLabelsOf(snapshot),
        governed: all.governed,
        bindings: bound.governed,
        ...scopeIn(config),
        selfCheckIn: selfCheckIn(config),
        ...(Number.isFinite(changesIn) ? { changesIn } : {}),
      };
    },
  });
  return {
    ...registration,
    readiness: readinessOf(registration, config, reach, certificates),
    registered: () => registration.readiness().length === 0,
    close: async () => {
      await Promise.all([registration.close(), standing.close()]);
    },
  };
}

/** The labels by which policies close pods, in an order that does not depend on that of the policies. */
const closingLabelsOf = ({ policies }: PolicySnapshot): readonly string[] =>
  [...new Set(policies.flatMap(({ closed }) => closed?.labels ?? []))].sort();

/** What the installation leaves out. */
export const scopeIn = ({ namespace, exemptNamespaces: further, namespaceSelector }: Config): Scope => ({
  ...defined({ controllerNamespace: namespace, namespaceSelector }),
  exemptNamespaces: [...alwaysExempt, ...further],
});

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
