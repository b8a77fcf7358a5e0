import { z } from "zod";
import { durationPattern } from "./duration.ts";

/** A moment as RFC 3339 writes it. */
export const moment = z.iso
  .datetime({ offset: true, error: "must be a date and time such as 2027-01-31T00:00:00Z" })
  .max(40);

/** A span of time. */
export const duration = z
  .string()
  .min(2)
  .max(24)
  .regex(durationPattern, "give hours, minutes and seconds, such as 4320h or 1h30m");
