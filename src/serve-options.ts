import { z } from "zod";

import {
  address,
  failurePolicy,
  label,
  level,
  mirrors,
  names,
  namespaces,
  onOff,
  selector,
  text,
  webhookUrl,
  whole,
} from "./option-values.ts";

/** One setting of `serve`: the single source of flag, environment variable, help text and documentation. */
export interface ServeOption {
  /** Key of the value in the parsed command line. */
  readonly key: keyof ServeFlags;
  /** As help shows it: `--port <number>`. */
  readonly flag: string;
  readonly env: string;
  /** As text; absent where there is none. */
  readonly default?: string;
  /** A valid value other than the default. */
  readonly example: string;
  readonly description: string;
}

const shape = {
  state: text.optional(),
  kubeconfig: text.optional(),
  webhookUrl: webhookUrl.optional(),
  address,
  port: whole(0, 65_535),
  metricsAddress: address,
  metricsPort: whole(0, 65_535),
  metricsNamespaces: whole(0, 1_000),
  exclusivePorts: onOff,
  namespace: label.optional(),
  service: label,
  lease: label.optional(),
  events: onOff,
  exemptNamespaces: namespaces.optional(),
  namespaceSelector: selector.optional(),
  failurePolicy,
  timeout: whole(1, 30),
  graceSeconds: whole(0, 300),
  drainSeconds: whole(1, 300),
  logLevel: level,
  tlsCertFile: text.optional(),
  tlsKeyFile: text.optional(),
  tlsCaFile: text.optional(),
  clientCaFile: text.optional(),
  clientName: names.optional(),
  caFile: text.optional(),
  tufMirror: mirrors.optional(),
  tufCache: text.optional(),
} as const;

/** Validates settings as text, from any source, and converts them. */
export const serveSchema = z.strictObject(shape);

/** Flags of the parsed command line; absent where not given, without defaults. */
export type ServeFlags = { readonly [Key in keyof typeof shape]?: string | undefined };

interface Values {
  readonly example: string;
  readonly default?: string;
}

function option(key: keyof ServeFlags, value: string, description: string, values: Values): ServeOption {
  const words = key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return {
    key,
    flag: `--${words} <${value}>`,
    env: `SKILL_ADMISSION_${words.replaceAll("-", "_").toUpperCase()}`,
    description,
    ...values,
  };
}

export const serveOptions: readonly ServeOption[] = [
  option("state", "dir", "Run without a cluster on this folder of manifests", {
    example: "examples/policies/",
  }),
  option(
    "kubeconfig",
    "file",
    "Run beside the cluster that this file's current context names; needs --webhook-url",
    { example: "staging.yaml" },
  ),
  option(
    "webhookUrl",
    "url",
    "With --kubeconfig: where the API server reaches this process, https://HOST:PORT",
    { example: "https://192.0.2.1:8443" },
  ),
  option("address", "ip", "Address that the webhook listens on", {
    example: "127.0.0.1",
    default: "0.0.0.0",
  }),
  option(
    "port",
    "number",
    "Port of the webhook and its probes, HTTPS; 0 takes any free one. Left out: the port of --webhook-url, if that names one",
    {
      example: "9443",
      default: "8443",
    },
  ),
  option("metricsAddress", "ip", "Address that the metrics endpoint listens on", {
    example: "127.0.0.1",
    default: "0.0.0.0",
  }),
  option("metricsPort", "number", "Port of the metrics endpoint, plain HTTP; 0 takes any free one", {
    example: "9100",
    default: "9090",
  }),
  option(
    "metricsNamespaces",
    "number",
    "Count denials by namespace too, for so many different ones, and the rest as (other); 0 counts none so",
    { example: "100", default: "0" },
  ),
  option(
    "exclusivePorts",
    "word",
    "on or off: share no port with other processes of the same user; for the network of a node, where there may be some",
    { example: "on", default: "off" },
  ),
  option(
    "namespace",
    "name",
    "Namespace of the controller itself; in a cluster from POD_NAMESPACE when not given",
    { example: "skill-admission" },
  ),
  option("service", "name", "Service through which the API server reaches the webhook in a cluster", {
    example: "skill-webhook",
    default: "skill-admission",
  }),
  option(
    "lease",
    "name",
    "Lease in that namespace by which replicas agree on a leader; in a cluster skill-admission when not given",
    { example: "skill-webhook" },
  ),
  option("events", "word", "on or off: write Events about denied objects, on what would try them again", {
    example: "off",
    default: "on",
  }),
  option(
    "exemptNamespaces",
    "names",
    "Namespaces that are never reviewed besides kube-system, kube-node-lease and the controller's own, with commas between them",
    { example: "monitoring,istio-system" },
  ),
  option(
    "namespaceSelector",
    "json",
    "Only these namespaces are ever reviewed, whatever policies select: a label selector as JSON",
    { example: '{"matchLabels":{"pilot":"yes"}}' },
  ),
  option(
    "failurePolicy",
    "word",
    "Fail or Ignore: what becomes of objects in namespaces of policies in Enforce while no replica answers",
    { example: "Ignore", default: "Fail" },
  ),
  option("timeout", "seconds", "Time for a review where the API server names none, 1 to 30", {
    example: "10",
    default: "5",
  }),
  option("graceSeconds", "seconds", "Goes on serving so long after readiness fails on the way to a stop", {
    example: "10",
    default: "5",
  }),
  option("drainSeconds", "seconds", "Then waits so long for reviews in flight before it cuts them off", {
    example: "20",
    default: "10",
  }),
  option("logLevel", "level", "Least severe log lines to write: debug, info, warn, error", {
    example: "debug",
    default: "info",
  }),
  option(
    "tlsCertFile",
    "file",
    "Certificate chain to serve with, PEM, leaf first, read again when it changes; needs --tls-key-file",
    { example: "tls.crt" },
  ),
  option("tlsKeyFile", "file", "Private key of that certificate, PEM, unencrypted; needs --tls-cert-file", {
    example: "tls.key",
  }),
  option(
    "tlsCaFile",
    "file",
    "Certificate authority of that certificate, PEM, registered as what the API server trusts; read again when it changes",
    { example: "tls-ca.crt" },
  ),
  option(
    "clientCaFile",
    "file",
    "Certificate authorities of clients, PEM: reviews are answered only to clients with a certificate of theirs; read again when it changes; needs --client-name",
    { example: "client-ca.crt" },
  ),
  option(
    "clientName",
    "names",
    "Names of which that certificate must have one (common name or alternative name, exactly), with commas between them",
    { example: "kube-apiserver-webhooks" },
  ),
  option(
    "caFile",
    "file",
    "Write the certificate authority that callers must trust to this file, anew whenever it changes",
    { example: "ca.crt" },
  ),
  option(
    "tufMirror",
    "url",
    "TUF mirrors that trust roots may name, https://HOST[/PATH], with commas between them; no other is contacted",
    { example: "https://tuf.example.com" },
  ),
  option(
    "tufCache",
    "dir",
    "Folder for what TUF mirrors published, so that it is known after a restart; without it, a new one each time",
    { example: "/var/cache/skill-admission" },
  ),
];
