import { request as plainRequest, type IncomingMessage } from "node:http";
import { request, type RequestOptions } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { metadataOf, type KubernetesObject } from "../../../kubernetes/object.ts";
import { LoopTurns } from "../../../evaluation/loop-turns.ts";
import { hasMoreValues } from "../../../text/json.ts";
import type { Connection } from "./connection.ts";

interface ApiErrorDetails {
  readonly reason?: string;
  readonly continuation?: string;
}

/** An unsuccessful answer of the API server, or no answer (`status` 0). */
export class ApiError extends Error {
  override readonly name = "ApiError";
  /** HTTP status; 0 if the request got no answer. */
  readonly status: number;
  /** Reason as the API server states it, `NotFound`, `Expired`, …; empty if it gave none. */
  readonly reason: string;
  /** Token with which to go on in a list whose version has expired; the rest is then of a later version. */
  readonly continuation: string | undefined;

  constructor(status: number, message: string, options?: ErrorOptions & ApiErrorDetails) {
    super(message, options);
    this.status = status;
    this.reason = options?.reason ?? "";
    this.continuation = options?.continuation;
  }
}

export interface ApiRequest {
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Path from `/api…` on, with its query. */
  readonly path: string;
  readonly accept?: string;
  readonly contentType?: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Values of the answer that are made at most: making them stops all other work. Default: as many as it has. */
  readonly maxValues?: number;
  /** Bytes of the answer at most; default 16 MiB. */
  readonly maxBytes?: number;
  readonly signal: AbortSignal;
}

/** JSON client of the API server. */
export interface ApiClient {
  /** @throws ApiError */
  call(request: ApiRequest): Promise<KubernetesObject>;
  /**
   * Opens an answer without end, such as a watch; leaving the loop over it closes it.
   * @throws ApiError if it is refused
   */
  stream(request: ApiRequest): Promise<AsyncIterable<Uint8Array>>;
  close(): void;
}

/** Bytes of an answer that is read in a turn of its own: a millisecond, where it has many values. */
const largeAnswer = 64 * 1024;
/** Bytes of an answer at most: an object has at most 1.5 MiB in etcd, and JSON may take six characters for a byte. */
const maxAnswerBytes = 16 * 1024 * 1024;
const maxErrorBytes = 64 * 1024;

async function readBody(response: IncomingMessage, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) {
      response.destroy();
      throw new ApiError(0, `the API server's answer is larger than ${limit} bytes`, {
        reason: tooManyBytes,
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

async function refusalOf(response: IncomingMessage, what: string): Promise<ApiError> {
  const status = response.statusCode ?? 0;
  const text = (await readBody(response, maxErrorBytes).catch(() => Buffer.alloc(0))).toString("utf8");
  try {
    const parsed = JSON.parse(text) as KubernetesObject | null;
    const message = typeof parsed?.["message"] === "string" ? parsed["message"] : text;
    const reason = typeof parsed?.["reason"] === "string" ? parsed["reason"] : "";
    const next = parsed === null ? undefined : metadataOf(parsed)["continue"];
    const continuation = typeof next === "string" && next !== "" ? { continuation: next } : {};
    return new ApiError(status, `${what}: ${message.slice(0, 1000)}`, { reason, ...continuation });
  } catch {
    return new ApiError(status, `${what}: HTTP ${status} ${text.slice(0, 200)}`);
  }
}

function send(server: string, options: RequestOptions, wanted: ApiRequest): Promise<IncomingMessage> {
  const { method = "GET", path, accept, contentType, body, signal } = wanted;
  const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
  const start = server.startsWith("http:") ? plainRequest : request;
  return new Promise((resolve, reject) => {
    const outgoing = start(`${server}${path}`, {
      ...options,
      method,
      signal,
      headers: {
        ...(options.headers as Record<string, string> | undefined),
        accept: accept ?? "application/json",
        "user-agent": "skill-admission",
        ...(payload === undefined
          ? {}
          : { "content-type": contentType ?? "application/json", "content-length": payload.length }),
      },
    });
    outgoing.once("response", resolve);
    outgoing.once("error", (error) => {
      if (signal.aborted) reject(signal.reason as Error);
      else if (method === "GET" && isBroken(error)) reject(new BrokenConnection());
      else reject(new ApiError(0, `${method} ${path}: ${error.message}`, { cause: error }));
    });
    outgoing.end(payload);
  });
}

/** The connection ended before an answer came. Repeating does no harm: only reads are repeated. */
class BrokenConnection extends Error {}

/** Closed by the server, by a device in between, or by the local kernel. */
const brokenConnection = ["ECONNRESET", "ECONNABORTED", "EPIPE"];

const isBroken = (error: Error): boolean =>
  brokenConnection.includes((error as NodeJS.ErrnoException).code ?? "");

/** Maximum repetitions of a read whose connection broke, and attempts to read an answer to its end. */
const maxRepeats = 4;
/** Milliseconds before the first repetition; each later one waits twice as long. */
const repeatAfter = 5;
const readAttempts = 2;

/** Requests that are repeated because the API server was too busy for them, and the longest wait for it, milliseconds. */
const maxRefusals = 4;
const longestWait = 10_000;

/**
 * Milliseconds after which the API server wants to be asked again (priority and fairness, a restart): it has done nothing
 * then, so writes may be repeated too. Undefined if it does not say so.
 */
function askedToWait({ statusCode, headers }: IncomingMessage): number | undefined {
  if (statusCode !== 429 && statusCode !== 503) return undefined;
  const seconds = headers["retry-after"];
  if (seconds === undefined || !/^\d{1,5}$/.test(seconds)) return undefined;
  return Math.min(Number(seconds) * 1000, longestWait);
}

async function succeeded(response: IncomingMessage, wanted: ApiRequest): Promise<IncomingMessage> {
  const status = response.statusCode ?? 0;
  if (status >= 200 && status < 300) return response;
  throw await refusalOf(response, `${wanted.method ?? "GET"} ${wanted.path}`);
}

/**
 * Makes a client. After a 401 it reads the credentials again, once; a broken connection does not fail a read; whoever
 * was too busy is asked again when it says, as long as the signal allows.
 */
export function createApiClient(connection: Connection): ApiClient {
  const turns = new LoopTurns();
  const open = async (wanted: ApiRequest): Promise<IncomingMessage> => {
    wanted.signal.throwIfAborted();
    for (let attempt = 0; ; attempt += 1) {
      const options = await connection.options(false).catch((cause: unknown) => {
        throw new ApiError(0, `no credentials for ${connection.server}: ${(cause as Error).message}`, {
          cause,
        });
      });
      try {
        const response = await send(connection.server, options, wanted);
        if (response.statusCode !== 401 || attempt > 0) return response;
        response.resume();
        await connection.options(true).catch(() => undefined);
      } catch (error) {
        if (!(error instanceof BrokenConnection)) throw error;
        if (attempt >= maxRepeats)
          throw new ApiError(0, `${wanted.path}: the connection was closed again and again`, {
            cause: error,
          });
        // Other idle connections may be broken too: the pause lets them close.
        await sleep(repeatAfter * 2 ** attempt, undefined, { signal: wanted.signal });
      }
    }
  };
  const opened = async (wanted: ApiRequest): Promise<IncomingMessage> =>
    succeeded(await open(wanted), wanted);
  const admitted = async (wanted: ApiRequest): Promise<IncomingMessage> => {
    for (let refusals = 0; ; refusals += 1) {
      const response = await open(wanted);
      const wait = refusals < maxRefusals ? askedToWait(response) : undefined;
      if (wait === undefined) return succeeded(response, wanted);
      response.resume();
      // All who were refused would come back at once.
      await sleep(wait * (1 + Math.random() / 4), undefined, { signal: wanted.signal });
    }
  };
  const whole = async (wanted: ApiRequest): Promise<Buffer> => {
    const attempts = (wanted.method ?? "GET") === "GET" ? readAttempts : 1;
    for (let attempt = 1; ; attempt += 1) {
      const response = await admitted(wanted);
      try {
        return await readBody(response, wanted.maxBytes ?? maxAnswerBytes);
      } catch (cause) {
        wanted.signal.throwIfAborted();
        if (cause instanceof ApiError) throw cause;
        if (attempt >= attempts) throw new ApiError(0, `${wanted.path}: the answer broke off`, { cause });
      }
    }
  };
  return {
    stream: opened,
    call: async (wanted) => {
      const bytes = await whole(wanted);
      if (bytes.length > largeAnswer) await turns.next();
      return parsed(bytes, wanted);
    },
    close: () => connection.close(),
  };
}

function parsed(bytes: Buffer, { path, maxValues }: ApiRequest): KubernetesObject {
  const body = bytes.toString("utf8");
  if (maxValues !== undefined && hasMoreValues(body, maxValues))
    throw new ApiError(0, `${path}: the answer has more than ${maxValues} values`, { reason: tooManyValues });
  try {
    return JSON.parse(body) as KubernetesObject;
  } catch (cause) {
    throw new ApiError(0, `${path}: the answer is not JSON`, { cause });
  }
}

/** Reason of an answer above `maxValues`. */
export const tooManyValues = "TooManyValues";

/** Reason of an answer above `maxBytes`. */
export const tooManyBytes = "TooManyBytes";

/** Message of any thrown value. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
