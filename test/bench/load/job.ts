/** Five characters of a review that every sending replaces by others: no two pods have the same name. */
export const serialMark = "#####";

/** What a load process is asked to do. */
export interface Job {
  readonly port: number;
  readonly connections: number;
  /** File with one review as JSON on each line. */
  readonly reviews: string;
  /** First line to send, counting from 0; default 0. */
  readonly first?: number;
  /** How many lines from there; default all. */
  readonly count?: number;
  /** Send them again and again: for so long, or until so many are sent. Both absent: each once. */
  readonly seconds?: number;
  readonly total?: number;
  /** Text that every answer must have: a load on a server that answers something else measures nothing. */
  readonly expect: string;
}

/** What came of it. */
export interface LoadResult {
  readonly reviews: number;
  readonly seconds: number;
  /** Milliseconds from the first byte sent to the last received, review by review. */
  readonly latencies: Float64Array;
  /** Processor seconds of the load process itself: near `seconds`, and it is the load that is slow. */
  readonly cpuSeconds: number;
}

export type LoadAnswer = { readonly result: LoadResult } | { readonly error: string };
