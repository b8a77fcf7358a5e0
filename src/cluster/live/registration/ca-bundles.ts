import type { KubernetesObject } from "../../../kubernetes/object.ts";

interface RegisteredWebhook {
  readonly clientConfig?: { readonly caBundle?: string };
}

/** Certificates of a PEM bundle, each as text. */
const certificatesIn = (bundle: string): readonly string[] =>
  bundle.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];

/** CA bundle of each registered webhook, PEM. */
export function bundlesOf(registered: KubernetesObject | undefined): readonly string[] {
  const webhooks = (registered?.["webhooks"] ?? []) as readonly RegisteredWebhook[];
  return webhooks.map(({ clientConfig }) =>
    Buffer.from(clientConfig?.caBundle ?? "", "base64").toString("utf8"),
  );
}

/** True if each has all these authorities. */
export function trustAll(bundles: readonly string[], caBundle: string): boolean {
  const certificates = certificatesIn(caBundle);
  return bundles.every((bundle) => certificates.every((one) => bundle.includes(one)));
}
