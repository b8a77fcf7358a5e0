import { readFile } from "node:fs/promises";
import { totalmem } from "node:os";
import { buffer } from "node:stream/consumers";
import { messageOf } from "../text/message-of.ts";
import { printableLines } from "../text/printable.ts";
import type { CommandLine, TextOutput } from "../cli/command-line.ts";
import { runCommandLine } from "../cli/program.ts";
import { processEnvironment, type Environment } from "../environment.ts";
import type { Build } from "./build.ts";

async function buildOf(): Promise<Build> {
  const text = await readFile(new URL("../../package.json", import.meta.url), "utf8");
  const { version } = JSON.parse(text) as { readonly version: string };
  const memoryLimit = memoryLimitOf(process.constrainedMemory(), totalmem());
  return {
    version,
    revision: processEnvironment()["SOURCE_REVISION"] ?? "unknown",
    ...(memoryLimit === undefined ? {} : { memoryLimit }),
  };
}

/** A control group without a limit says 0 or more than the machine has. */
const memoryLimitOf = (constrained: number, machine: number): number | undefined =>
  constrained > 0 && constrained < machine ? constrained : undefined;

const output = (stream: NodeJS.WriteStream): TextOutput => ({
  write: (text) => void stream.write(text),
  isTerminal: stream.isTTY,
  columns: stream.columns,
});

/** Exit code where the reader went away before the end: what was not read must not count as a pass. */
const unheard = 3;

/** Whoever reads our output may stop reading, as `head` does; that is no fault, and nothing is left to say. */
function endWithReader(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(unheard);
    throw error;
  });
}

/** Aborts at the first SIGTERM or SIGINT, and `hurry` at the second. */
function stopSignals(): { readonly stop: AbortSignal; readonly hurry: AbortSignal } {
  const [stop, hurry] = [new AbortController(), new AbortController()];
  const onSignal = (): void => (stop.signal.aborted ? hurry : stop).abort();
  process.on("SIGTERM", onSignal).on("SIGINT", onSignal);
  return { stop: stop.signal, hurry: hurry.signal };
}

/** `serve` ends with 0 when it was told to stop, with 2 when it could not start as it was called. */
async function runServe(flags: Readonly<Record<string, string>>, build: Build): Promise<number> {
  const [{ ConfigError, parseServeConfig }, { serve }] = await Promise.all([
    import("../config.ts"),
    import("./serve.ts"),
  ]);
  try {
    const { stop, hurry } = stopSignals();
    await serve(parseServeConfig(flags, processEnvironment()), build, stop, hurry);
    return 0;
  } catch (error) {
    process.stderr.write(`error: ${printableLines(messageOf(error))}\n`);
    return error instanceof ConfigError ? 2 : 3;
  }
}

/** GitHub sets both for jobs with `permissions: id-token: write`. */
function githubActionsOf(environment: Environment): CommandLine["githubActions"] {
  const { ACTIONS_ID_TOKEN_REQUEST_URL: requestUrl, ACTIONS_ID_TOKEN_REQUEST_TOKEN: requestToken } =
    environment;
  return requestUrl === undefined || requestToken === undefined ? undefined : { requestUrl, requestToken };
}

/** The command line's view of this process: what it writes to, what it reads, what it can open. */
async function commandLine(): Promise<CommandLine> {
  const build = await buildOf();
  return {
    version: build.version,
    stdout: output(process.stdout),
    stderr: output(process.stderr),
    readStdin: () => buffer(process.stdin),
    now: () => Date.now(),
    colour: (processEnvironment()["NO_COLOR"] ?? "") === "",
    passphrase: processEnvironment()["SKILL_ADMISSION_KEY_PASSPHRASE"],
    identityToken: processEnvironment()["SIGSTORE_ID_TOKEN"],
    githubActions: githubActionsOf(processEnvironment()),
    readSkillDirectory: async (directory) => {
      const { readSkillDirectory } = await import("../sources/directory.ts");
      return readSkillDirectory(directory);
    },
    openOffline: async (objects) => {
      const { offlineClusterOf } = await import("../cluster/offline/offline-cluster.ts");
      return offlineClusterOf(objects, { onProblem: () => undefined });
    },
    openCluster: async (kubeconfig) => {
      const { openReader } = await import("../cluster/live/open-reader.ts");
      return openReader(kubeconfig);
    },
    serveFlags: async () => (await import("../serve-options.ts")).serveOptions,
    serve: (flags) => runServe(flags, build),
    unregister: async (request) => {
      const { runUnregister } = await import("./unregister.ts");
      return runUnregister(request, processEnvironment());
    },
  };
}

/**
 * Runs one call of the program.
 * @param args what follows the program's name
 * @returns the exit code
 */
export async function runProcess(args: readonly string[]): Promise<number> {
  endWithReader();
  return runCommandLine(args, await commandLine());
}
