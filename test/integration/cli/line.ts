import type { CommandLine } from "../../../src/cli/command-line.ts";
import { runCommandLine } from "../../../src/cli/program.ts";
import { readSkillDirectory } from "../../../src/sources/directory.ts";

export interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

const refuse = (what: string) => () => Promise.reject(new Error(`${what} was not expected`));

/** Runs the command line in this process, with its real adapters for folders and manifests. */
export async function run(
  args: readonly string[],
  over: Partial<CommandLine> & { readonly stdin?: string } = {},
): Promise<Run> {
  const { stdin = "", ...ports } = over;
  const out: string[] = [];
  const err: string[] = [];
  const line: CommandLine = {
    version: "0.0.0-test",
    stdout: { write: (text) => void out.push(text), isTerminal: false },
    stderr: { write: (text) => void err.push(text), isTerminal: false },
    readStdin: () => Promise.resolve(Buffer.from(stdin)),
    now: () => Date.now(),
    colour: true,
    readSkillDirectory,
    openOffline: async (objects) => {
      const { offlineClusterOf } = await import("../../../src/cluster/offline/offline-cluster.ts");
      return offlineClusterOf(objects, { onProblem: (problem) => void err.push(problem) });
    },
    openCluster: refuse("a cluster"),
    serveFlags: () => Promise.resolve([]),
    serve: refuse("serve"),
    unregister: refuse("unregister"),
    canary: refuse("canary"),
    ...ports,
  };
  const code = await runCommandLine(args, line);
  return { code, out: out.join(""), err: err.join("") };
}

/** The objects of JSON output, one a line. */
export const documents = (out: string): readonly Record<string, unknown>[] =>
  out
    .split("\n")
    .filter((text) => text !== "")
    .map((text) => JSON.parse(text) as Record<string, unknown>);
