import { z } from "zod";

/** A moment as RFC 3339 writes it. */
export const moment = z.iso
  .datetime({ offset: true, error: "must be a date and time such as 2027-01-31T00:00:00Z" })
  .max(40);

const hour = 3_600_000;
const pattern = /^([1-9]\d{0,5}h)?([1-9]\d{0,5}m)?([1-9]\d{0,5}s)?$/;

/** A span of time as Go and Kubernetes write it: `4320h`, `1h30m`. */
export const duration = z
  .string()
  .min(2)
  .max(24)
  .regex(pattern, "give hours, minutes and seconds, such as 4320h or 1h30m");

/** Milliseconds of a `duration`. */
export function millisecondsOf(text: string): number {
  const [, hours = "0", minutes = "0", seconds = "0"] = pattern.exec(text) ?? [];
  return parseInt(hours, 10) * hour + parseInt(minutes, 10) * 60_000 + parseInt(seconds, 10) * 1000;
}
