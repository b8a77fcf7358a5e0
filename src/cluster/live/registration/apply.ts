import type { KubernetesObject } from "../../../kubernetes/object.ts";
import { ApiError, type ApiClient } from "../api/client.ts";
import { agrees, fieldManager } from "./drift.ts";
import { webhookConfigurationName } from "./webhook-configuration.ts";

/** Where webhook configurations are. */
export const webhookConfigurations = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";

const versionOf = ({ metadata }: KubernetesObject): { resourceVersion: string; uid: string } => {
  const { resourceVersion, uid } = metadata as { readonly resourceVersion: string; readonly uid: string };
  return { resourceVersion, uid };
};

/**
 * Writes the registration over what was seen of it.
 *
 * @param present what was seen; undefined: nothing
 * @returns what is registered now
 * @throws ApiError where it was refused, where it was changed meanwhile (409), and where somebody changes it as it is written
 */
export async function applyConfiguration(
  client: ApiClient,
  present: KubernetesObject | undefined,
  wanted: KubernetesObject,
  signal: AbortSignal,
): Promise<KubernetesObject> {
  const path = `${webhookConfigurations}/${webhookConfigurationName}`;
  // With the version that was looked at: who has lost the lead without knowing must not undo what came after.
  const seen = present === undefined ? {} : { resourceVersion: versionOf(present).resourceVersion };
  const applied = await client.call({
    method: "PATCH",
    path: `${path}?fieldManager=${fieldManager}&force=true`,
    contentType: "application/apply-patch+yaml",
    body: { ...wanted, metadata: { ...(wanted.metadata as object), ...seen } },
    signal,
  });
  if (agrees(applied, wanted)) return applied;
  // Applying leaves fields and entries of other managers alone; here they would make the webhook miss objects.
  const replaced = await client.call({
    method: "PUT",
    path: `${path}?fieldManager=${fieldManager}`,
    body: { ...wanted, metadata: { ...(wanted.metadata as object), ...versionOf(applied) } },
    signal,
  });
  if (!agrees(replaced, wanted))
    throw new ApiError(0, `${webhookConfigurationName}: another admission plug-in changes the registration`);
  return replaced;
}
