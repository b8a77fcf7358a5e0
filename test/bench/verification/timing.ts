import { median } from "../statistics.ts";

/** Rounds of which figures are the median. */
export const rounds = 9;
/** Calls in one round. */
export const iterations = 100;

/** Milliseconds of one call each. */
export async function timed(work: () => void | Promise<void>): Promise<readonly number[]> {
  const times: number[] = [];
  while (times.length < iterations) {
    const started = performance.now();
    const ended = work();
    if (ended !== undefined) await ended;
    times.push(performance.now() - started);
  }
  return times;
}

/** The ratio of two rounds' figures, round by round; a machine that slows down slows both. */
export const ratio = (over: readonly number[], under: readonly number[]): number =>
  median(over.map((value, at) => value / (under[at] ?? Number.NaN)));

export const sum = (one: readonly number[], other: readonly number[]): number[] =>
  one.map((value, at) => value + (other[at] ?? Number.NaN));
