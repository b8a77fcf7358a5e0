import { readFile } from "node:fs/promises";

import { messageOf } from "../../text/message-of.ts";
import type { Clock } from "./self-issued.ts";

/** Milliseconds between reads: far less than the months of a certificate, for two or three small files. */
const interval = 10_000;

/** Characters of one file: longer than any certificate chain or key. */
const maxLength = 1024 * 1024;

/** @throws Error naming flag and file where it cannot be read */
export async function readText(flag: string, path: string, signal: AbortSignal): Promise<string> {
  try {
    const text = await readFile(path, { encoding: "utf8", signal });
    if (text.length > maxLength) throw new Error("it is longer than 1 MiB");
    return text;
  } catch (cause) {
    throw new Error(`cannot read ${flag} ${JSON.stringify(path)}: ${messageOf(cause)}`, { cause });
  }
}

export interface Watching {
  readonly clock: Clock;
  /** Ends the watching. */
  readonly signal: AbortSignal;
  readonly report: (problem: unknown) => void;
}

/**
 * Looks at files every ten seconds. They are not watched: the kubelet swaps a link above them, which file watchers
 * miss. Each fault is reported once, not at every look.
 */
export function watchFiles(look: () => Promise<void>, { clock, signal, report }: Watching): void {
  const watch = async (): Promise<never> => {
    let reported = "";
    for (;;) {
      await clock.sleep(interval, signal);
      try {
        await look();
        reported = "";
      } catch (error) {
        signal.throwIfAborted();
        const message = String(error);
        if (message !== reported) report(error);
        reported = message;
      }
    }
  };
  void watch().catch((error: unknown) => {
    if (!signal.aborted) report(error);
  });
}
