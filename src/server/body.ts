import type { IncomingMessage } from "node:http";

import type { Deadline } from "../admission/handle.ts";
import type { Share } from "./shares.ts";

/**
 * Size limit of an AdmissionReview. The API server accepts bodies up to 3 MiB (`MaxRequestBodyBytes`: twice etcd's
 * 1.5 MiB, because JSON is longer than the stored form). A review carries at most two such objects, `object` and
 * `oldObject`, and 1 MiB is left for the rest. controller-runtime has the same limit for the same reason.
 */
export const maxBodyBytes = 7 * 1024 * 1024;

/** Bytes of all bodies that are being read or reviewed; requests above it get 503 at once, see `FairShares`. */
export const maxBufferedBytes = 64 * 1024 * 1024;

/** A request that is answered with an HTTP status and a reason. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const noMemory = (): RequestError =>
  new RequestError(503, "too many large reviews at once; try again, or run more replicas");

/** Bytes that each chunk counts beside its own: a body that comes byte by byte would cost far more than its length. */
export const chunkOverhead = 512;

const tooLarge = (): RequestError =>
  new RequestError(
    413,
    `the body is longer than ${maxBodyBytes} bytes (7 MiB), more than an AdmissionReview from the API server can be: ` +
      `two objects of at most 3 MiB each, and what goes with them`,
  );

/**
 * Reads a whole body, bounded in size and in time.
 *
 * @param memory what it takes of the memory for bodies; the caller releases it
 * @param deadline a RequestError as its reason is thrown as it is
 * @throws RequestError 413 too long, 408 not there before the deadline, 400 cut off, 503 no memory to spare
 */
export function readBody(
  request: IncomingMessage,
  memory: Share,
  deadline: Deadline & { readonly reason: unknown },
): Promise<Uint8Array> {
  if (Number(request.headers["content-length"] ?? 0) > maxBodyBytes) return Promise.reject(tooLarge());
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let length = 0;
    let ended = false;
    const end = (error?: RequestError): void => {
      if (ended) return;
      ended = true;
      deadline.removeEventListener("abort", onAbort);
      if (error === undefined) {
        resolve(joined(chunks, length));
        return;
      }
      // Further data is ignored. The error listener stays: without one, an error ends the process.
      request.off("data", onData);
      reject(error);
    };
    const onData = (chunk: Uint8Array): void => {
      length += chunk.byteLength;
      if (length > maxBodyBytes) end(tooLarge());
      else if (!memory.take(chunk.byteLength + chunkOverhead)) end(noMemory());
      else chunks.push(chunk);
    };
    const onEnd = (): void =>
      end(request.complete ? undefined : new RequestError(400, "the body was cut off"));
    const onAbort = (): void => {
      const late = new RequestError(408, "the body did not arrive before the deadline");
      end(deadline.reason instanceof RequestError ? deadline.reason : late);
    };
    deadline.addEventListener("abort", onAbort, { once: true });
    request.on("data", onData).on("end", onEnd).on("error", onEnd).on("close", onEnd);
  });
}

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const [only] = chunks;
  return chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, length);
}
