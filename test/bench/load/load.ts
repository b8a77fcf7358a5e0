import { fork } from "node:child_process";
import { join } from "node:path";
import { cpuSeconds } from "../servers/process-figures.ts";
import type { Server } from "../servers/server.ts";
import type { Job, LoadAnswer, LoadResult } from "./job.ts";

/** A result with what the server's process spent on it. */
export interface Loaded extends LoadResult {
  /** Processor seconds of the server process, all threads; NaN where the system does not tell. */
  readonly serverCpuSeconds: number;
}

/** The process that sends reviews. */
export interface Load {
  run(server: Server, job: Omit<Job, "port">): Promise<Loaded>;
  stop(): void;
}

export function startLoad(): Load {
  const child = fork(join(import.meta.dirname, "load-process.ts"), { serialization: "advanced" });
  const ask = (job: Job): Promise<LoadResult> =>
    new Promise((resolve, reject) => {
      const onExit = (): void => reject(new Error("the load process ended"));
      child.once("exit", onExit);
      child.once("message", (answer: LoadAnswer) => {
        child.off("exit", onExit);
        if ("error" in answer) reject(new Error(answer.error));
        else resolve(answer.result);
      });
      child.send(job);
    });
  return {
    async run(server, job) {
      const before = cpuSeconds(server.pid);
      const result = await ask({ ...job, port: server.port });
      return { ...result, serverCpuSeconds: cpuSeconds(server.pid) - before };
    },
    stop: () => void child.kill(),
  };
}
