import type { AdmissionRequest } from "./admission-request.ts";

/** Name of the Lease whose dry run the webhook is asked about, to see that it is asked. It is never stored. */
export const selfCheckName = "skill-admission-self-check";

/** Whether this is the controller's own question, which is no review: whatever else came here is judged. */
export const isSelfCheck = ({ resource, subject: { kind, name, dryRun } }: AdmissionRequest): boolean =>
  resource === "leases" && kind === "Lease" && name === selfCheckName && dryRun;
