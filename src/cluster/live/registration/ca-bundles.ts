import type { KubernetesObject } from "../../../kubernetes/object.ts";

interface RegisteredWebhook {
  readonly clientConfig?: { readonly caBundle?: string };
}

/** The certificates of a PEM bundle, each as text. */
const certificatesIn = (bundle: string): readonly string[] =>
  bundle.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];

/** What callers trust by each webhook that is registered, PEM. */
export function bundlesOf(registered: KubernetesObject | undefined): readonly string[] {
  const webhooks = (registered?.["webhooks"] ?? []) as readonly RegisteredWebhook[];
  return webhooks.map(({ clientConfig }) =>
    Buffer.from(clientConfig?.caBundle ?? "", "base64").toString("utf8"),
  );
}

/** Has every one of some bundles, of which there is one at least, all these authorities. */
export function trustAll(bundles: readonly string[], caBundle: string): boolean {
  const certificates = certificatesIn(caBundle);
  return bundles.length > 0 && bundles.every((bundle) => certificates.every((one) => bundle.includes(one)));
}
