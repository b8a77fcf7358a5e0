import type { ApiClient, ApiRequest } from "../../../../src/cluster/live/api/client.ts";
import { ApiError } from "../../../../src/cluster/live/api/client.ts";
import type { KubernetesObject } from "../../../../src/kubernetes/object.ts";

type Answer = KubernetesObject | ApiError;
type Stream = AsyncIterable<Uint8Array> | ApiError;

/** An API server that answers from a script, and remembers what it was asked. */
export interface ScriptedClient extends ApiClient {
  readonly asked: ApiRequest[];
}

export function scriptedClient(
  answer: (request: ApiRequest) => Answer,
  stream: (request: ApiRequest) => Stream = () => new ApiError(500, "no watch"),
): ScriptedClient {
  const asked: ApiRequest[] = [];
  const settle = <T>(result: T | ApiError): Promise<T> =>
    result instanceof ApiError ? Promise.reject(result) : Promise.resolve(result);
  return {
    asked,
    call: (request) => {
      asked.push(request);
      return request.signal.aborted
        ? Promise.reject(request.signal.reason as Error)
        : settle(answer(request));
    },
    stream: (request) => {
      asked.push(request);
      return settle(stream(request));
    },
    close: () => undefined,
  };
}

/** Chunks of a watch: the events as lines, then silence until the signal aborts, or the end. */
export async function* chunksOf(
  events: readonly object[],
  rest: AbortSignal | "end",
): AsyncGenerator<Uint8Array> {
  for (const event of events) yield Buffer.from(`${JSON.stringify(event)}\n`);
  if (rest === "end") return;
  await new Promise((_, reject) => {
    if (rest.aborted) reject(rest.reason as Error);
    rest.addEventListener("abort", () => reject(rest.reason as Error));
  });
}
