import { SourceError } from "../skill/source-error.ts";

/** Resolves in the next turn of the event loop. */
export const nextTurn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

/**
 * Yields, so that other pending work runs first.
 * @throws SourceError TIMEOUT if the signal has aborted
 */
export async function yieldToEventLoop(signal: AbortSignal): Promise<void> {
  await nextTurn();
  if (signal.aborted) throw new SourceError("TIMEOUT", "the skills could not be verified in time; try again");
}
