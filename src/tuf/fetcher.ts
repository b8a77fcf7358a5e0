import { randomUUID } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { request as plainRequest, type IncomingMessage } from "node:http";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Fetcher } from "tuf-js";
import { DownloadHTTPError, DownloadLengthMismatchError } from "tuf-js/dist/error.js";

/** What one look at a mirror may cost. */
const fetchLimits = {
  /** Bytes of all answers together. */
  bytes: 4 * 1024 * 1024,
  /** Requests: rotations of the root, the four roles, delegations, the file. */
  requests: 64,
} as const;

export interface FetcherOptions {
  /** Base URL; nothing else is asked. */
  readonly mirror: string;
  /** Ends whatever is under way. */
  readonly signal: AbortSignal;
  /** Aborts when one request, with its whole answer, has taken too long; asked anew for each. */
  readonly deadline: () => AbortSignal;
  /** For files on their way; by default that of the system. */
  readonly folder?: string;
}

/** Answers of the kind "more is to come" (RFC 9110, 15.2) before the one that counts. Any number is allowed, and costs us. */
const maxInformation = 8;

function send(url: URL, signal: AbortSignal): Promise<IncomingMessage> {
  const start = url.protocol === "http:" ? plainRequest : request;
  return new Promise((resolve, reject) => {
    // No kept connection: the next look is in an hour.
    const headers = { accept: "application/json", "user-agent": "skill-admission" };
    const outgoing = start(url, { signal, agent: false, headers });
    let information = 0;
    outgoing.on("information", () => {
      information += 1;
      if (information > maxInformation)
        outgoing.destroy(new Error("it announces an answer without giving one"));
    });
    outgoing.once("response", resolve);
    outgoing.on("error", (error) => reject(signal.aborted ? (signal.reason as Error) : error));
    // After a 101, Node ends the connection and says nothing else.
    outgoing.once("close", () => reject(new Error("it ends the connection without an answer")));
    outgoing.end();
  });
}

function assertAnswer({ statusCode: status = 0, headers }: IncomingMessage, path: string): void {
  if (status === 200) return;
  if (status >= 300 && status < 400)
    throw new Error(`it sends us on to ${String(headers.location).slice(0, 100)}, which is not followed`);
  throw new DownloadHTTPError(`${path} is answered with HTTP ${status}`, status);
}

async function bodyOf(response: IncomingMessage, longest: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > longest) throw new DownloadLengthMismatchError(`an answer is longer than ${longest} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

/**
 * Reads from one mirror for one look at it: nothing from elsewhere, by no redirect, and not more or longer than bounded.
 * A status 403 or 404 is told as TUF's client wants it, since it ends the search for newer roots.
 */
export function createFetcher({ mirror, signal, deadline, folder = tmpdir() }: FetcherOptions): Fetcher {
  let [bytes, requests]: [number, number] = [fetchLimits.bytes, fetchLimits.requests];
  const downloadBytes = async (address: string, maxLength: number): Promise<Buffer> => {
    const url = new URL(address);
    if (!url.href.startsWith(`${mirror}/`))
      throw new Error(`${url.href.slice(0, 200)} is no file of the mirror`);
    requests -= 1;
    if (requests < 0) throw new Error(`more than ${fetchLimits.requests} requests would be needed`);
    const ends = AbortSignal.any([signal, deadline()]);
    const response = await send(url, ends);
    try {
      assertAnswer(response, url.pathname.slice(-100));
      const body = await bodyOf(response, Math.min(maxLength, bytes));
      bytes -= body.length;
      return body;
    } catch (error) {
      ends.throwIfAborted();
      throw error;
    } finally {
      response.destroy();
    }
  };
  return {
    downloadBytes,
    downloadFile: async (address, maxLength, handler) => {
      const file = join(folder, `download-${randomUUID()}`);
      try {
        await writeFile(file, await downloadBytes(address, maxLength), { mode: 0o600 });
        return await handler(file);
      } finally {
        await rm(file, { force: true });
      }
    },
  };
}
