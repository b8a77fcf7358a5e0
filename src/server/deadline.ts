/** Longest `timeoutSeconds` that the API server allows: 1 to 30 seconds. */
const maxTimeout = 30_000;

/** Margin for the network: a tenth of the time-out, at most half a second. */
const marginOf = (timeout: number): number => Math.min(500, timeout / 10);

/** Time limits of one request, milliseconds from its arrival. */
export interface TimeLimits {
  /** Time at which the review is aborted: the answer is then a denial with TIMEOUT. */
  readonly deadline: number;
  /** Time at which the server answers in its place, should it not end. */
  readonly lastCall: number;
}

/** The `timeout` that the API server appends to the URL, a Go duration such as `5s` or `1m0.5s`, in milliseconds. */
export function parseTimeout(url: string): number | undefined {
  const query = url.indexOf("?");
  if (query < 0 || url.length > 2048) return undefined;
  const text = new URLSearchParams(url.slice(query + 1)).get("timeout") ?? "";
  const match = /^(?:(\d{1,3})m)?(?:(\d{1,4}(?:\.\d{1,9})?)s|(\d{1,6})ms)?$/.exec(text);
  if (match === null) return undefined;
  const [, minutes = "0", seconds = "0", milliseconds = "0"] = match;
  const total = Number(minutes) * 60_000 + Number(seconds) * 1000 + Number(milliseconds);
  return total > 0 ? total : undefined;
}

/**
 * @param url path and query of the request
 * @param fallback milliseconds, where the URL has no readable time-out
 */
export function timeLimits(url: string, fallback: number): TimeLimits {
  const timeout = Math.min(maxTimeout, parseTimeout(url) ?? fallback);
  const margin = marginOf(timeout);
  return { deadline: Math.floor(timeout - margin), lastCall: Math.floor(timeout - margin / 2) };
}
