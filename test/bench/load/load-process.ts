/** Sends reviews over keep-alive TLS connections, a process of its own: a job comes by message, and so goes its result. */
import { readFile } from "node:fs/promises";
import { connect, type TLSSocket } from "node:tls";
import { readResponse } from "./http-response.ts";
import { serialMark, type Job, type LoadAnswer, type LoadResult } from "./job.ts";

/** A request, and where its serial marks stand. */
interface Template {
  readonly bytes: Buffer;
  readonly marks: readonly number[];
}

function templateOf(bytes: Buffer): Template {
  const marks: number[] = [];
  for (let at = bytes.indexOf(serialMark); at !== -1; at = bytes.indexOf(serialMark, at + 1)) marks.push(at);
  return { bytes, marks };
}

/** Over all jobs, so that none repeats the pods of another. */
let serial = 0;

/** The request for another pod. A copy: the one before may still be on its way. */
function nextOf({ bytes, marks }: Template): Buffer {
  if (marks.length === 0) return bytes;
  const text = (serial++).toString(36).padStart(serialMark.length, "0");
  const copy = Buffer.from(bytes);
  for (const at of marks) copy.write(text, at, "latin1");
  return copy;
}

/** Requests ready to send. Read once per file: a job comes several times. */
const requests = new Map<string, readonly Template[]>();

async function requestsOf(file: string): Promise<readonly Template[]> {
  const known = requests.get(file);
  if (known !== undefined) return known;
  const lines = (await readFile(file, "utf8")).split("\n").filter((line) => line !== "");
  const made = lines.map((line) => {
    const body = Buffer.from(line);
    const head = `POST /validate?timeout=5s HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
    return templateOf(Buffer.concat([Buffer.from(head), body]));
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
  const total = job.total ?? (job.seconds === undefined ? chosen.length : Infinity);
  let at = 0;
  const next = (): Buffer | undefined => {
    if (at >= total || performance.now() >= end) return undefined;
    const template = chosen[at++ % chosen.length];
    return template && nextOf(template);
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
