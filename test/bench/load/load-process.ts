/** Sends reviews over keep-alive TLS connections, a process of its own: a job comes by message, and so goes its result. */
import { readFile } from "node:fs/promises";
import { connect, type TLSSocket } from "node:tls";
import { readResponse } from "./http-response.ts";
import type { Job, LoadAnswer, LoadResult } from "./job.ts";

/** Requests ready to send. Read once per file: a job comes several times. */
const requests = new Map<string, readonly Buffer[]>();

async function requestsOf(file: string): Promise<readonly Buffer[]> {
  const known = requests.get(file);
  if (known !== undefined) return known;
  const lines = (await readFile(file, "utf8")).split("\n").filter((line) => line !== "");
  const made = lines.map((line) => {
    const body = Buffer.from(line);
    const head = `POST /validate?timeout=5s HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
    return Buffer.concat([Buffer.from(head), body]);
  });
  requests.clear();
  requests.set(file, made);
  return made;
}

function open(port: number): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false }, () => resolve(socket));
    socket.setNoDelay(true);
    socket.once("error", reject);
  });
}

interface Run {
  readonly expect: Buffer;
  readonly latencies: number[];
  /** The next request, or undefined when no more are to be sent. */
  readonly next: () => Buffer | undefined;
}

/** Sends request after request on one connection until there are no more. */
function drive(socket: TLSSocket, { expect, latencies, next }: Run): Promise<void> {
  return new Promise((resolve, reject) => {
    let received: Buffer = Buffer.alloc(0);
    let sent = 0;
    const send = (): void => {
      const request = next();
      if (request === undefined) {
        socket.destroy();
        resolve();
        return;
      }
      sent = performance.now();
      socket.write(request);
    };
    socket.on("data", (chunk: Buffer) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      try {
        const response = readResponse(received);
        if (response === undefined) return;
        latencies.push(performance.now() - sent);
        if (response.status !== 200 || !response.body.includes(expect)) {
          throw new Error(
            `not as expected (${expect.toString()}): ${response.status} ${response.body.toString()}`,
          );
        }
        received = received.subarray(response.length);
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
        return;
      }
      send();
    });
    socket.on("error", reject);
    socket.once("close", () => reject(new Error("the server closed the connection")));
    send();
  });
}

async function run(job: Job): Promise<LoadResult> {
  const all = await requestsOf(job.reviews);
  const first = job.first ?? 0;
  const chosen = all.slice(first, job.count === undefined ? undefined : first + job.count);
  if (chosen.length === 0) throw new Error(`${job.reviews} has no reviews from ${first} on`);
  const sockets = await Promise.all(Array.from({ length: job.connections }, () => open(job.port)));
  const latencies: number[] = [];
  const started = performance.now();
  const end = job.seconds === undefined ? Infinity : started + job.seconds * 1000;
  let at = 0;
  const next = (): Buffer | undefined => {
    if (job.seconds === undefined ? at >= chosen.length : performance.now() >= end) return undefined;
    return chosen[at++ % chosen.length];
  };
  const cpu = process.cpuUsage();
  const expect = Buffer.from(job.expect);
  await Promise.all(sockets.map((socket) => drive(socket, { expect, latencies, next })));
  const used = process.cpuUsage(cpu);
  return {
    reviews: latencies.length,
    seconds: (performance.now() - started) / 1000,
    latencies: Float64Array.from(latencies),
    cpuSeconds: (used.user + used.system) / 1e6,
  };
}

process.on("message", (job: Job) => {
  run(job)
    .then(
      (result): LoadAnswer => ({ result }),
      (error: unknown): LoadAnswer => ({ error: String(error) }),
    )
    .then((answer) => process.send?.(answer))
    .catch(() => process.exit(1));
});
