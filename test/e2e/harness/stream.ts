import { setTimeout as sleep } from "node:timers/promises";
import type { Answer, Api } from "./api.ts";
import { agents, podWith, type Kind, type Material } from "./material.ts";

/** What became of one review that did not end as it had to. */
export type Miss =
  /** A tampered skill was let in. */
  | "wrong admit"
  /** A signed skill was denied by a policy. */
  | "wrong denial"
  /** The API server had no answer of the webhook and refused, as failurePolicy Fail says. */
  | "no verdict"
  /** The webhook could not get the skill's bytes from the API server, and so denied. */
  | "no source"
  /** The API server itself did not answer, or could not reach its own storage. */
  | "no API server";

/** One such review. */
export interface Missed {
  readonly what: Miss;
  readonly kind: Kind;
  /** Milliseconds since the stream began, and from question to answer. */
  readonly at: number;
  readonly took: number;
  readonly status: number;
  readonly said: string;
}

/** What happened in a stretch of time. */
export interface Tally {
  /** Seconds. */
  readonly seconds: number;
  readonly sent: number;
  readonly admitted: number;
  readonly denied: number;
  readonly missed: readonly Missed[];
  /** Of the reviews that ended as they had to, milliseconds, ascending. */
  readonly latencies: readonly number[];
}

/** A moment of a stream. */
export interface Mark {
  readonly at: number;
  readonly entry: number;
  readonly miss: number;
}

/** Reviews that never stop. */
export interface Stream {
  mark(): Mark;
  /** Everything that was sent after the mark and until now, once all of it is answered. */
  since(mark: Mark): Promise<Tally>;
  stop(): Promise<Tally>;
}

interface Expected {
  readonly kind: Kind;
  readonly body: object;
}

/** What the answer is worth; undefined where it is as it has to be. */
export function judge(kind: Kind, { status, body }: Answer): Miss | undefined {
  const verdict = body.includes("denied the request: ");
  if (status === 201) return kind === "signed" ? undefined : "wrong admit";
  if (verdict && kind === "tampered" && body.includes("DIGEST_MISMATCH scripts/run.sh")) return undefined;
  if (verdict && /SOURCE_UNAVAILABLE|could not review .*TIMEOUT/.test(body)) return "no source";
  if (verdict) return kind === "signed" ? "wrong denial" : "no verdict";
  // One that has just started does not know the Services yet.
  if (/service \\*"[-a-z]+\\*" not found/.test(body)) return "no API server";
  return body.includes("failed calling webhook") ? "no verdict" : "no API server";
}

export interface StreamOptions {
  readonly api: Api;
  readonly material: Material;
  /** Reviews a second. */
  readonly rate: number;
}

/** Most that are asked at a time; a webhook that hangs must not be hidden by waiting for it. */
const mostWaiting = 400;

/**
 * Server-side dry runs of new pods, signed and tampered in turn, at a rate that does not wait for answers. Each of them
 * goes through the API server as a real pod would, and leaves nothing behind.
 */
export function startStream({ api, material, rate }: StreamOptions): Stream {
  const path = `/api/v1/namespaces/${agents}/pods?dryRun=All`;
  const pods: readonly Expected[] = (["signed", "tampered"] as const).map((kind) => ({
    kind,
    body: podWith(material, kind, agents, "example.invalid/agent"),
  }));
  const began = performance.now();
  const entries: { readonly kind: Kind; readonly took: number }[] = [];
  const missed: Missed[] = [];
  const waiting = new Set<Promise<void>>();
  let sent = 0;
  let ended = false;

  const review = async ({ kind, body }: Expected): Promise<void> => {
    const at = performance.now() - began;
    const answer = await api
      .call("POST", path, body)
      .catch((error: unknown): Answer => ({ status: 0, body: String(error) }));
    const took = performance.now() - began - at;
    const what = judge(kind, answer);
    if (what === undefined) entries.push({ kind, took });
    else missed.push({ what, kind, at, took, status: answer.status, said: answer.body.slice(0, 1200) });
  };

  const run = async (): Promise<void> => {
    while (!ended) {
      const due = Math.floor(((performance.now() - began) / 1000) * rate);
      for (; sent < due && waiting.size < mostWaiting; sent += 1) {
        const one = review(pods[sent % pods.length]!).finally(() => waiting.delete(one));
        waiting.add(one);
      }
      // What could not be sent in time is not made up for in a burst.
      if (sent < due) sent = due;
      await sleep(1000 / rate / 2);
    }
  };
  const running = run();

  const since = async (mark: Mark): Promise<Tally> => {
    const seconds = (performance.now() - began - mark.at) / 1000;
    await Promise.all(waiting);
    const found = entries.slice(mark.entry);
    const misses = missed.slice(mark.miss);
    const admitted = found.filter(({ kind }) => kind === "signed").length;
    return {
      seconds,
      sent: found.length + misses.length,
      admitted,
      denied: found.length - admitted,
      missed: misses,
      latencies: found.map(({ took }) => took).sort((a, b) => a - b),
    };
  };

  return {
    mark: () => ({ at: performance.now() - began, entry: entries.length, miss: missed.length }),
    since,
    stop: async () => {
      ended = true;
      await running;
      return since({ at: 0, entry: 0, miss: 0 });
    },
  };
}

/** A few words about each, for a test that expects none. */
export const shown = (missed: readonly Missed[]): readonly string[] =>
  missed.map(({ what, kind, at, took, status, said }) => {
    const message = /"message":"((?:[^"\\]|\\.)*)"/.exec(said)?.[1] ?? said;
    return `${what} (${kind}, at ${Math.round(at)} ms, after ${Math.round(took)} ms, ${status}): ${message.slice(0, 300)}`;
  });

/** A stretch in which the API server or etcd was down, or connections were broken; milliseconds of the stream. */
export interface Outage {
  readonly from: number;
  readonly to: number;
}

/** Those that no outage explains: neither the API server's own refusals nor bytes that could not be had from it. */
export const unexplained = ({ missed }: Tally, outages: readonly Outage[]): readonly string[] =>
  shown(
    missed.filter(
      ({ what, at, took }) =>
        (what !== "no API server" && what !== "no source") ||
        !outages.some(({ from, to }) => at <= to && at + took >= from),
    ),
  );

/** The value below which this share of ascending values lies. */
export const percentile = (ascending: readonly number[], share: number): number =>
  ascending[Math.min(ascending.length - 1, Math.floor(ascending.length * share))] ?? NaN;
