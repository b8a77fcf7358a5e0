import type { KubernetesObject } from "../../../kubernetes/object.ts";
import { describeDrift } from "./drift.ts";
import { webhookConfigurationName } from "./webhook-configuration.ts";

/** Milliseconds for which the same drift is not reported again. */
const silence = 10 * 60_000;

/** Reports drift, once for each new description, and again after `silence`. */
export function driftReporter(
  onProblem: (message: string) => void,
): (present: KubernetesObject | undefined, standing: KubernetesObject | undefined) => void {
  let reported: { readonly drift: string; readonly at: number } | undefined;
  return (present, standing) => {
    if (standing === undefined) return;
    const drift = describeDrift(present, standing);
    const now = performance.now();
    if (reported?.drift === drift && now - reported.at < silence) return;
    reported = { drift, at: now };
    onProblem(
      `the webhook's registration was changed, and is put back: ${drift}; find who does it and have them leave the ValidatingWebhookConfiguration "${webhookConfigurationName}" alone`,
    );
  };
}
