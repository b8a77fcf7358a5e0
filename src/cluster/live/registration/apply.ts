import { metadataOf, type KubernetesObject } from "../../../kubernetes/object.ts";
import { ApiError, type ApiClient } from "../api/client.ts";
import { agrees, fieldManager } from "./drift.ts";
import { webhookConfigurationName } from "./webhook-configuration.ts";

/** Path of all webhook configurations. */
export const webhookConfigurations = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";

const versionOf = (
  object: KubernetesObject,
): { readonly resourceVersion: unknown; readonly uid: unknown } => {
  const { resourceVersion, uid } = metadataOf(object);
  return { resourceVersion, uid };
};

/**
 * Writes the registration over the present one.
 * @param present as last seen; undefined: none
 * @returns the registration as written
 * @throws ApiError if it is refused, or was changed meanwhile (409)
 */
export async function applyConfiguration(
  client: ApiClient,
  present: KubernetesObject | undefined,
  wanted: KubernetesObject,
  signal: AbortSignal,
): Promise<KubernetesObject> {
  const path = `${webhookConfigurations}/${webhookConfigurationName}`;
  // States the version that was seen: a replica that lost the lead unawares must not undo later changes.
  const seen = present === undefined ? {} : { resourceVersion: versionOf(present).resourceVersion };
  const applied = await client.call({
    method: "PATCH",
    path: `${path}?fieldManager=${fieldManager}&force=true`,
    contentType: "application/apply-patch+yaml",
    body: { ...wanted, metadata: { ...metadataOf(wanted), ...seen } },
    signal,
  });
  if (agrees(applied, wanted)) return applied;
  // Applying keeps other managers' fields and entries; here they would make the webhook miss objects.
  const replaced = await client.call({
    method: "PUT",
    path: `${path}?fieldManager=${fieldManager}`,
    body: { ...wanted, metadata: { ...metadataOf(wanted), ...versionOf(applied) } },
    signal,
  });
  if (!agrees(replaced, wanted))
    throw new ApiError(0, `${webhookConfigurationName}: another admission plug-in changes the registration`);
  return replaced;
}
