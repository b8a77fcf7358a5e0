const hour = 3_600_000;
export const day = 24 * hour;

/** A time in RFC 3339, to the second. */
export const timeText = (time: number): string => new Date(time).toISOString().replace(/\.\d+Z$/, "Z");

/** A span in whole days, or hours below two days. */
export function spanText(milliseconds: number): string {
  if (milliseconds < hour) return "less than an hour";
  const [count, unit] =
    milliseconds < 2 * day
      ? [Math.floor(milliseconds / hour), "hour"]
      : [Math.floor(milliseconds / day), "day"];
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

/** An end that is yet to come: `2027-01-31T00:00:00Z, in 61 days`. */
export const endText = (end: number, now: number): string => `${timeText(end)}, in ${spanText(end - now)}`;
