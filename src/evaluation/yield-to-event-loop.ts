import { SourceError } from "../skill/source-error.ts";

/**
 * Yields, so that other pending work runs first.
 * @throws SourceError TIMEOUT if the signal has aborted
 */
export async function yieldToEventLoop(signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    setImmediate(resolve);
  });
  if (signal.aborted) throw new SourceError("TIMEOUT", "the skills could not be verified in time; try again");
}
