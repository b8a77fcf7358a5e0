import { spawn, type ChildProcess } from "node:child_process";
import { openSync, closeSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * The shell holds the program on a leash: when its standard input ends, because it was closed or because the
 * process at the other end died in whatever way, the program is killed. A SIGTERM is passed on.
 */
const leash =
  'exec 3<&0; "$@" </dev/null 3<&- & child=$!; trap "kill -TERM $child" TERM; (cat <&3 >/dev/null; kill -KILL $child 2>/dev/null) & wait $child; wait $child';

/** A program that never outlives its starter. */
export interface Program {
  readonly name: string;
  readonly logFile: string;
  /** Resolves when the program has ended. */
  readonly ended: Promise<void>;
  readonly running: () => boolean;
  /** Tells it to stop (SIGTERM); `ended` says when it has. */
  terminate(): void;
  /** Stops it where it is, as a hung machine would; `resume` lets it go on. */
  pause(): void;
  resume(): void;
  /** Kills it and waits until it is gone. */
  kill(): Promise<void>;
}

const started = new Set<ChildProcess>();
let exitHook = false;

/** Starts a program with its output appended to a file. */
export function startProgram(path: string, args: readonly string[], logFile: string): Program {
  if (!exitHook) {
    exitHook = true;
    process.on("exit", () => {
      for (const child of started) child.stdin?.destroy();
    });
  }
  const log = openSync(logFile, "a");
  const child = spawn("sh", ["-c", leash, "sh", path, ...args], {
    stdio: ["pipe", log, log],
    detached: true,
  });
  closeSync(log);
  started.add(child);
  let running = true;
  const ended = new Promise<void>((resolve) => {
    const finish = () => {
      running = false;
      started.delete(child);
      child.stdin?.destroy();
      resolve();
    };
    child.once("error", finish);
    child.once("exit", finish);
  });
  child.stdin?.on("error", () => undefined);
  return {
    name: path.split("/").at(-1) ?? path,
    logFile,
    ended,
    running: () => running,
    terminate: () => void child.kill("SIGTERM"),
    pause: () => void process.kill(-child.pid!, "SIGSTOP"),
    resume: () => void process.kill(-child.pid!, "SIGCONT"),
    kill: async () => {
      child.stdin?.destroy();
      await ended;
    },
  };
}

/** The end of a program's log, for messages. */
export const logTail = (program: Program): string =>
  readFileSync(program.logFile, "utf8").split("\n").slice(-15).join("\n");

/** Waits until a condition holds; fails with the log's end when the program dies first or time is up. */
export async function until(
  what: string,
  condition: () => Promise<boolean>,
  program?: Program,
  milliseconds = 60_000,
): Promise<void> {
  const deadline = performance.now() + milliseconds;
  while (!(await condition().catch(() => false))) {
    if (program?.running() === false)
      throw new Error(`${program.name} ended before: ${what}\n${logTail(program)}`);
    if (performance.now() > deadline) {
      throw new Error(
        `not in ${milliseconds / 1000} s: ${what}${program === undefined ? "" : `\n${logTail(program)}`}`,
      );
    }
    await sleep(50);
  }
}
