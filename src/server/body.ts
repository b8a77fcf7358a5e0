import type { IncomingMessage } from "node:http";

/**
 * The longest AdmissionReview. The API server takes request bodies up to 3 MiB (its MaxRequestBodyBytes: twice
 * etcd's 1.5 MiB, because JSON is longer than what is stored); a review carries at most two such objects, `object`
 * and `oldObject`, and 1 MiB is left for all the rest. controller-runtime has the same bound, for the same reason.
 */
export const maxBodyBytes = 7 * 1024 * 1024;

/** Bodies of all requests that are being read or reviewed, together; more wait for no one and get 503. */
const maxBufferedBytes = 64 * 1024 * 1024;

/** A request that is answered with that status, and why. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** How much of the memory for bodies is in use. */
export interface BodyBudget {
  used: number;
}

const tooLarge = (): RequestError =>
  new RequestError(
    413,
    `the body is longer than ${maxBodyBytes} bytes (7 MiB), more than an AdmissionReview from the API server can be: ` +
      `two objects of at most 3 MiB each, and what goes with them`,
  );

function faultOf(length: number, used: number): RequestError | undefined {
  if (length > maxBodyBytes) return tooLarge();
  if (used <= maxBufferedBytes) return undefined;
  return new RequestError(503, "too many large reviews at once; try again, or run more replicas");
}

/** A body, and the way to say that it is no longer needed. */
export interface ReadBody {
  readonly bytes: Uint8Array;
  readonly release: () => void;
}

/**
 * Reads a whole body, bounded in size and, by the signal, in time.
 *
 * @throws RequestError 413 too long, 408 not there before the signal aborted, 400 cut off, 503 no memory to spare.
 * What was taken from the budget is then given back.
 */
export async function readBody(
  request: IncomingMessage,
  budget: BodyBudget,
  signal: AbortSignal,
): Promise<ReadBody> {
  if (Number(request.headers["content-length"] ?? 0) > maxBodyBytes) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let length = 0;
  const release = (): void => {
    budget.used -= length;
    length = 0;
  };
  const { promise: arrived, resolve, reject } = Promise.withResolvers<undefined>();
  const onData = (chunk: Uint8Array): void => {
    const fault = faultOf(length + chunk.byteLength, budget.used + chunk.byteLength);
    if (fault !== undefined) {
      reject(fault);
      return;
    }
    budget.used += chunk.byteLength;
    length += chunk.byteLength;
    chunks.push(chunk);
  };
  const onEnd = (): void => {
    if (request.complete) resolve(undefined);
    else reject(new RequestError(400, "the body was cut off"));
  };
  const onLate = (): void => reject(new RequestError(408, "the body did not arrive before the deadline"));
  signal.addEventListener("abort", onLate, { once: true });
  request.on("data", onData).on("end", onEnd).on("error", onEnd).on("close", onEnd);
  try {
    await arrived;
  } catch (error) {
    release();
    throw error;
  } finally {
    signal.removeEventListener("abort", onLate);
    // What still comes is not ours to keep. The listener for errors stays: an error without one ends the process.
    request.off("data", onData);
  }
  const [only] = chunks;
  return { bytes: chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, length), release };
}
