const headEnd = Buffer.from("\r\n\r\n");

/** One complete response at the front of what a connection has received. */
export interface HttpResponse {
  readonly status: number;
  readonly body: Buffer;
  /** Bytes that it takes. */
  readonly length: number;
}

/**
 * The response that the bytes begin with, or undefined where more must come. As little work as can be: on a machine of
 * few cores the load must not be what is measured.
 * @throws Error for a response without a content length, which neither server sends
 */
export function readResponse(received: Buffer): HttpResponse | undefined {
  const end = received.indexOf(headEnd);
  if (end === -1) return undefined;
  const head = received.toString("latin1", 0, end);
  const size = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? Number.NaN);
  if (!Number.isInteger(size)) throw new Error(`a response without content length: ${head.slice(0, 200)}`);
  const length = end + headEnd.length + size;
  if (received.length < length) return undefined;
  return { status: Number(head.slice(9, 12)), body: received.subarray(end + headEnd.length, length), length };
}
