import { readFile } from "node:fs/promises";
import { totalmem } from "node:os";
import { buffer } from "node:stream/consumers";
import { defined } from "../text/fields.ts";
import { messageOf } from "../text/message-of.ts";
import { printableLines } from "../text/printable.ts";
import { UsageError, type CommandLine, type TextOutput } from "../cli/command-line.ts";
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
    ...defined({ memoryLimit }),
  };
}

/** Memory limit of the control group. Without one, Node reports 0 or more than the machine has. */
const memoryLimitOf = (constrained: number, machine: number): number | undefined =>
  constrained > 0 && constrained < machine ? constrained : undefined;

const output = (stream: NodeJS.WriteStream): TextOutput => ({
  write: (text) => void stream.write(text),
  isTerminal: stream.isTTY,
  columns: stream.columns,
});

/** Exit code after the reader of the output has gone: unread results must not count as a pass. */
const unheard = 3;

/** Exits when the reader of standard output closes it, as `head` does: that is no fault. */
function endWithReader(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(unheard);
    throw error;
  });
}

/** `stop` aborts at the first SIGTERM or SIGINT, `hurry` at the second. */
function stopSignals(): { readonly stop: AbortSignal; readonly hurry: AbortSignal } {
  const [stop, hurry] = [new AbortController(), new AbortController()];
  const onSignal = (): void => (stop.signal.aborted ? hurry : stop).abort();
  process.on("SIGTERM", onSignal).on("SIGINT", onSignal);
  return { stop: stop.signal, hurry: hurry.signal };
}

/** Runs `serve`: 0 after a signal to stop, 2 for a wrong configuration, 3 where it could not start or failed. */
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

/** GitHub Actions sets both for jobs with `permissions: id-token: write`. */
function githubActionsOf(environment: Environment): CommandLine["githubActions"] {
  const { ACTIONS_ID_TOKEN_REQUEST_URL: requestUrl, ACTIONS_ID_TOKEN_REQUEST_TOKEN: requestToken } =
    environment;
  return requestUrl === undefined || requestToken === undefined ? undefined : { requestUrl, requestToken };
}

/** Implements the command line's port with this process. */
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
    openCluster: async (address) => {
      const { openReader } = await import("../cluster/live/open-reader.ts");
      return openReader(address).catch((cause: unknown) => {
        throw new UsageError(messageOf(cause), undefined, { cause });
      });
    },
    serveFlags: async () => (await import("../serve-options.ts")).serveOptions,
    serve: (flags) => runServe(flags, build),
    unregister: async (request) => {
      const { runUnregister } = await import("./unregister.ts");
      return runUnregister(request, processEnvironment());
    },
    canary: async (request) => {
      const { runCanary } = await import("./canary.ts");
      return runCanary(request, processEnvironment());
    },
  };
}

/**
 * Runs one call of the program.
 * @param args the arguments after the program's name
 * @returns the exit code
 */
export async function runProcess(args: readonly string[]): Promise<number> {
  endWithReader();
  return runCommandLine(args, await commandLine());
}
