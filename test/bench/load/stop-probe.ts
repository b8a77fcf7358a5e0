/** Asks a server's `/healthz` every few milliseconds from a thread of its own, and notes the longest wait. */
import { Agent, request } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";

/** Milliseconds between two questions. */
const pause = 5;

/** A probe that runs. */
export interface StopProbe {
  /** Milliseconds of the longest wait since the last call. */
  longest(): Promise<number>;
  stop(): Promise<void>;
}

/** Probes the server at a port of this machine. */
export function probeStops(port: number): StopProbe {
  const worker = new Worker(new URL(import.meta.url), { workerData: port });
  return {
    longest: () =>
      new Promise((resolve) => {
        worker.once("message", resolve);
        worker.postMessage("longest");
      }),
    stop: async () => {
      await worker.terminate();
    },
  };
}

if (!isMainThread) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false });
  let longest = 0;
  let since = performance.now();
  let waiting = false;
  parentPort!.on("message", () => {
    parentPort!.postMessage(Math.max(longest, waiting ? performance.now() - since : 0));
    longest = 0;
  });
  for (;;) {
    since = performance.now();
    waiting = true;
    await new Promise<void>((resolve) => {
      const call = request(
        { agent, host: "127.0.0.1", port: workerData as number, path: "/healthz" },
        (answer) => {
          answer.resume().once("end", resolve);
        },
      );
      call.once("error", () => resolve()).end();
    });
    waiting = false;
    longest = Math.max(longest, performance.now() - since);
    await sleep(pause);
  }
}
