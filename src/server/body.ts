import type { IncomingMessage } from "node:http";

/**
 * Size limit of an AdmissionReview. The API server accepts bodies up to 3 MiB (`MaxRequestBodyBytes`: twice etcd's
 * 1.5 MiB, because JSON is longer than the stored form). A review carries at most two such objects, `object` and
 * `oldObject`, and 1 MiB is left for the rest. controller-runtime has the same limit for the same reason.
 */
export const maxBodyBytes = 7 * 1024 * 1024;

/** Bytes of all bodies that are being read or reviewed; requests above it get 503 at once. */
const maxBufferedBytes = 64 * 1024 * 1024;

/** A request that is answered with an HTTP status and a reason. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Bytes in use for bodies. */
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

/** A body, with the function that returns its bytes to the budget. */
export interface ReadBody {
  readonly bytes: Uint8Array;
  readonly release: () => void;
}

/**
 * Reads a whole body, bounded in size and, by the signal, in time. An error returns its bytes to the budget.
 *
 * @throws RequestError 413 too long, 408 not there before the signal aborted, 400 cut off, 503 no memory to spare
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
    // Further data is ignored. The error listener stays: without one, an error ends the process.
    request.off("data", onData);
  }
  const [only] = chunks;
  return { bytes: chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, length), release };
}
