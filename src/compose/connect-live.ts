import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { ClusterHooks } from "../cluster/cluster.ts";
import { createApiClient, messageOf, type ApiClient } from "../cluster/live/api/client.ts";
import { createCertificateSecret } from "../cluster/live/api/certificate-secret.ts";
import { connectByKubeconfig, connectInCluster } from "../cluster/live/api/connection.ts";
import { createEventWriter, type EventDrop } from "../cluster/live/events/writer.ts";
import {
  hasReadyEndpoint,
  readInstallation,
  readNamespace,
  withoutService,
} from "../cluster/live/registration/installation.ts";
import { createCandidate } from "../cluster/live/leader/election.ts";
import { soleLeader, type Leadership } from "../cluster/live/leader/leadership.ts";
import { createLeaseStore } from "../cluster/live/leader/lease.ts";
import { openLiveCluster } from "../cluster/live/live-cluster.ts";
import { registerWebhook } from "../cluster/live/registration/register-webhook.ts";
import type { RegistrationDeps } from "../cluster/live/registration/reconciler.ts";
import { exemptNamespaces } from "../cluster/live/registration/webhook-configuration.ts";
import { createStatusWriter } from "../cluster/live/status/writer.ts";
import type { SourceHooks } from "../cluster/live/api/volume-object-source.ts";
import type { ClusterMode, Config } from "../config.ts";
import { joinBundles } from "../server/certificates/bundle.ts";
import type { CertificateSource } from "../server/certificates/certificate-source.ts";
import { bundleOf, fromFiles } from "../server/certificates/state.ts";
import { createMemoryStore, type CertificateStore } from "../server/certificates/store.ts";
import type { Log } from "../telemetry/log.ts";
import type { Connected, Registration } from "./connected.ts";
import { closing, type openMirrors } from "./mirrors.ts";
import { startedTrusted } from "./started-trusted.ts";

type LiveMode = Exclude<ClusterMode, { readonly kind: "offline" }>;

interface Told {
  readonly hooks: ClusterHooks & SourceHooks;
  readonly mirrors: Awaited<ReturnType<typeof openMirrors>>;
  readonly log: Log;
  readonly onEventDropped: (why: EventDrop) => void;
}

/** Where replicas share the webhook's certificates, in the controller's namespace. */
const certificateSecret = "skill-admission-certificates";
const servicePort = 443;

/**
 * Opens the cluster that a pod runs in, or that a kubeconfig names.
 * @throws Error where a kubeconfig or credential cannot be used, in words
 */
export async function connectLive(config: Config, mode: LiveMode, told: Told): Promise<Connected> {
  const client = createApiClient(
    mode.kind === "beside" ? await connectByKubeconfig(mode.kubeconfig) : connectInCluster(mode.api),
  );
  const { hooks, mirrors } = told;
  const leadership = leadershipOf(config, client, told);
  const store =
    mode.kind === "beside"
      ? createMemoryStore()
      : createCertificateSecret(client, mode.namespace, certificateSecret);
  return {
    cluster: closing(
      openLiveCluster({
        client,
        hooks,
        status: createStatusWriter(client, hooks, leadership),
        mirrors,
        ...(config.namespace === undefined ? {} : { namespace: config.namespace }),
      }),
      mirrors,
    ),
    store,
    names: namesOf(mode),
    leadership,
    ...(config.events
      ? {
          events: createEventWriter({
            client,
            onProblem: hooks.onProblem,
            onDropped: told.onEventDropped,
            exempt: new Set(exemptNamespaces(exemptionsOf(config))),
          }),
        }
      : {}),
    register: (certificates) =>
      registrationOf(config, mode, { client, told, leadership, store, certificates }),
  };
}

/** By Lease among replicas; a process beside a cluster that names no Lease is by itself. */
function leadershipOf({ lease }: Config, client: ApiClient, { hooks, log }: Told): Leadership {
  if (lease === undefined) return soleLeader();
  const { namespace, name, times } = lease;
  const identity = `${hostname()}_${randomUUID()}`;
  const leadership = createCandidate({
    store: createLeaseStore(client, namespace, name),
    identity,
    ...(times && { times }),
    clock: {
      monotonic: () => performance.now(),
      now: () => Date.now(),
      sleep: (milliseconds, signal) => sleep(milliseconds, undefined, { signal }).catch(() => undefined),
      random: () => Math.random(),
    },
    onProblem: (error) =>
      hooks.onProblem(
        `the Lease ${namespace}/${name} cannot be kept, so others may lead: ${messageOf(error)}`,
      ),
  });
  let led = false;
  leadership.onChange(() => {
    const leads = leadership.term() !== undefined;
    if (leads !== led) log.info(leads ? "leading" : "no longer leading", { identity });
    led = leads;
  });
  return leadership;
}

interface Parts {
  readonly client: ApiClient;
  readonly told: Told;
  readonly leadership: Leadership;
  readonly store: CertificateStore;
  readonly certificates: CertificateSource;
}

function registrationOf(
  config: Config,
  mode: LiveMode,
  { client, told, leadership, store, certificates }: Parts,
): Registration {
  const address =
    mode.kind === "beside"
      ? { url: mode.webhookUrl }
      : { service: { namespace: mode.namespace, name: mode.service, port: servicePort } };
  const registration = registerWebhook({
    client,
    hooks: told.hooks,
    leadership,
    ...(config.lease === undefined
      ? {}
      : { heeds: heedsMark(config.lease.namespace, config.service, client, mode.kind !== "beside") }),
    ...(mode.kind === "beside" ? {} : { reachable: reachableBy(mode, client) }),
    onState: (registered) => {
      if (registered) told.log.info("registered");
    },
    options: async (signal, registeredBundle) => ({
      address,
      ...(mode.kind === "beside" ? {} : { owner: await readNamespace(client, mode.namespace, signal) }),
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
    readiness:
      config.lease === undefined
        ? () => registration.readiness()
        : mode.kind === "beside"
          ? () => []
          : startedTrusted(() => registration.registeredBundle(), certificates),
    registered: () => registration.readiness().length === 0,
  };
}

const exemptionsOf = ({ namespace }: Config): { readonly controllerNamespace?: string } =>
  namespace === undefined ? {} : { controllerNamespace: namespace };

/**
 * A mark that was left for an installation before this one is not for us. In a cluster, one whose Service is gone is
 * being taken away: it registers nothing any more, whatever the mark.
 */
const heedsMark =
  (
    namespace: string,
    service: string,
    client: ApiClient,
    inCluster: boolean,
  ): NonNullable<RegistrationDeps["heeds"]> =>
  async (mark, signal) => {
    const here = await readInstallation(client, namespace, service, signal);
    return mark === here || (inCluster && here === withoutService);
  };

/** Milliseconds from the first ready endpoint until every API server knows of it; kube-proxy gathers for a second. */
const endpointSettling = 2_000;

/**
 * Does the Service lead somewhere. Before that a registration would stop the cluster, for as long as it takes a
 * kubelet to ask for readiness; after it was so once, a registration that is missing is put back at once.
 */
function reachableBy(
  { namespace, service }: { readonly namespace: string; readonly service: string },
  client: ApiClient,
): (signal: AbortSignal) => Promise<boolean> {
  let since: number | undefined;
  return async (signal) => {
    if (!(await hasReadyEndpoint(client, namespace, service, signal))) return false;
    since ??= performance.now();
    return performance.now() - since >= endpointSettling;
  };
}

function namesOf(mode: LiveMode): readonly string[] {
  if (mode.kind === "beside") return [new URL(mode.webhookUrl).hostname.replace(/^\[|\]$/g, "")];
  const { service, namespace } = mode;
  return [
    `${service}.${namespace}.svc`,
    `${service}.${namespace}.svc.cluster.local`,
    `${service}.${namespace}`,
  ];
}

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
