import { randomUUID } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { request as plainRequest, type IncomingMessage } from "node:http";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Fetcher } from "tuf-js";
import { DownloadHTTPError, DownloadLengthMismatchError } from "tuf-js/dist/error.js";

/** Bounds on one update from a mirror. */
const fetchLimits = {
  /** Bytes of all answers together. */
  bytes: 4 * 1024 * 1024,
  /** Requests: rotations of the root, the four roles, delegations, the file. */
  requests: 64,
} as const;

export interface FetcherOptions {
  /** Base URL; no other is requested. */
  readonly mirror: string;
  /** Ends all requests. */
  readonly signal: AbortSignal;
  /** Called for each request: aborts when it, with its whole answer, has taken too long. */
  readonly deadline: () => AbortSignal;
  /** Folder for downloads; by default the system's temporary folder. */
  readonly folder?: string;
}

/** Most interim responses (RFC 9110, 15.2) before the final one: HTTP allows any number. */
const maxInformation = 8;

function send(url: URL, signal: AbortSignal): Promise<IncomingMessage> {
  const start = url.protocol === "http:" ? plainRequest : request;
  return new Promise((resolve, reject) => {
    // No keep-alive: the next update follows in an hour.
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
    // After a 101 Node closes the connection without another event.
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
 * Fetcher for one update from one mirror: no other host, no redirect, bounded size and time. Status 403 and 404
 * become the errors of TUF's client: they end its search for newer roots.
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
