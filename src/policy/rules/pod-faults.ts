import type { PodFault } from "../../skill/reference.ts";
import { defined } from "../../text/fields.ts";
import type { Finding } from "../finding.ts";
import type { Policy } from "../policy.ts";
import type { Reason } from "../reason.ts";

const codes: Readonly<Record<PodFault["demand"], Reason>> = {
  closed: "MOUNT_NOT_ALLOWED",
  rootFilesystem: "WRITABLE_MOUNT",
  processes: "PROCESSES_SHARED",
  binding: "NODE_PRESET",
  inUse: "STILL_IN_USE",
};

/** Reports a fault of the pod to the policies that demand otherwise of it. */
export const podFaultFindings = (
  { name }: Policy,
  { demand, policies, detail, remedy }: PodFault,
): readonly Finding[] =>
  policies.includes(name)
    ? [{ code: codes[demand], message: detail, ...defined({ remedy }), tolerated: false }]
    : [];
