const hour = 3_600_000;

/** A duration as Go and Kubernetes write it, whole text: `4320h`, `1h30m`. */
export const durationPattern = /^([1-9]\d{0,5}h)?([1-9]\d{0,5}m)?([1-9]\d{0,5}s)?$/;

/** Milliseconds of such a duration. */
export function millisecondsOf(text: string): number {
  const [, hours = "0", minutes = "0", seconds = "0"] = durationPattern.exec(text) ?? [];
  return parseInt(hours, 10) * hour + parseInt(minutes, 10) * 60_000 + parseInt(seconds, 10) * 1000;
}
