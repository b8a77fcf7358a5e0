import { z } from "zod";
import { durationPattern } from "./duration.ts";

/** A point in time, RFC 3339. */
export const moment = z.iso
  .datetime({ offset: true, error: "must be a date and time such as 2027-01-31T00:00:00Z" })
  .max(40);

/** A duration. */
export const duration = z
  .string()
  .min(2)
  .max(24)
  .regex(durationPattern, "give hours, minutes and seconds, such as 4320h or 1h30m");
