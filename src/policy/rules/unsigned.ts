import { endText, timeText } from "../../text/time.ts";
import type { Finding } from "../finding.ts";
import type { Policy } from "../policy.ts";

/**
 * Reports a skill without any signature, and until when the policy tolerates that.
 * @param now milliseconds since 1970
 */
export function unsignedFinding({ unsigned: { action, until } }: Policy, now: number): Finding {
  const code = "UNSIGNED";
  const message = "there is no signature";
  if (action === "Deny") return { code, message, tolerated: false };
  if (until === undefined) return { code, message, tolerated: true };
  return now < until
    ? {
        code,
        message: `${message}, which the policy tolerates until ${endText(until, now)}`,
        tolerated: true,
      }
    : { code, message: `${message}, which the policy tolerated until ${timeText(until)}`, tolerated: false };
}
