import { SourceError } from "../skill/source-error.ts";

/**
 * Lets everything else that waits run first.
 * @throws SourceError TIMEOUT where the signal has aborted
 */
export async function yieldToEventLoop(signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    setImmediate(resolve);
  });
  if (signal.aborted) throw new SourceError("TIMEOUT", "the skills could not be verified in time; try again");
}
