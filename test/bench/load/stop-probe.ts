/**
 * Asks a server's `/healthz` every few milliseconds from a thread of its own, and notes the longest wait: by the clock, and
 * by the processor time that the server's main thread took meanwhile, which others on the machine do not lengthen.
 */
import { readFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";

/** Milliseconds between two questions. */
const pause = 5;

/** The longest waits, milliseconds. */
export interface LongestStop {
  readonly clock: number;
  readonly processor: number;
}

/** A probe that runs. */
export interface StopProbe {
  /** The longest waits since the last call. */
  longest(): Promise<LongestStop>;
  stop(): Promise<void>;
}

interface Server {
  readonly port: number;
  readonly pid: number;
}

/** Probes a server of this machine. */
export function probeStops({ port, pid }: Server): StopProbe {
  const worker = new Worker(new URL(import.meta.url), { workerData: { port, pid } satisfies Server });
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

/** Milliseconds of processor time of a process's main thread; 0 where the kernel does not say. */
function mainThreadTime(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, "utf8").split(" ")[0]) / 1e6;
  } catch {
    return 0;
  }
}

if (!isMainThread) {
  const { port, pid } = workerData as Server;
  const agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false });
  let longest: LongestStop = { clock: 0, processor: 0 };
  const now = (): LongestStop => ({ clock: performance.now(), processor: mainThreadTime(pid) });
  let since = now();
  let waiting = false;
  const note = (): void => {
    const { clock, processor } = now();
    longest = {
      clock: Math.max(longest.clock, clock - since.clock),
      processor: Math.max(longest.processor, processor - since.processor),
    };
  };
  parentPort!.on("message", () => {
    if (waiting) note();
    parentPort!.postMessage(longest);
    longest = { clock: 0, processor: 0 };
  });
  for (;;) {
    since = now();
    waiting = true;
    await new Promise<void>((resolve) => {
      const call = request({ agent, host: "127.0.0.1", port, path: "/healthz" }, (answer) => {
        answer.resume().once("end", resolve);
      });
      call.once("error", () => resolve()).end();
    });
    waiting = false;
    note();
    await sleep(pause);
  }
}
