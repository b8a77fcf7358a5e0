import { setTimeout as sleep } from "node:timers/promises";
import { SourceError } from "../../skill/source-error.ts";

/**
 * Reviews that wait at once: 284 in a second, where kube-scheduler binds 50. Each holds a place among the reviews, of which
 * there are 512 for one API server, and others need some as well.
 */
const mostAtOnce = 256;

/**
 * Makes a wait for changes that other replicas let through to be stored.
 * @returns a function that throws SourceError TIMEOUT if the signal aborts before, or if too many wait
 */
export function createSettling(
  milliseconds: number,
  most: number = mostAtOnce,
): (signal: AbortSignal) => Promise<void> {
  let waiting = 0;
  return async (signal) => {
    if (waiting >= most)
      throw new SourceError(
        "TIMEOUT",
        `${most} reviews wait for changes on their way already; try again, or run more replicas`,
      );
    waiting += 1;
    try {
      await sleep(milliseconds, undefined, { signal });
    } catch (cause) {
      throw new SourceError("TIMEOUT", "there was no time to wait for changes on their way", { cause });
    } finally {
      waiting -= 1;
    }
  };
}
