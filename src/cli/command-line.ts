import type { ClusterView } from "../evaluation/cluster-view.ts";
import type { SkillSource } from "../skill/source.ts";
import type { Skill } from "../skill/skill.ts";
import type { PlacedObject } from "../kubernetes/manifest-object.ts";

/** How a command ended: all passed, something was refused, the call was wrong, or nothing could be said. */
export const exitCode = { pass: 0, violation: 1, usage: 2, unevaluated: 3 } as const;

export type ExitCode = (typeof exitCode)[keyof typeof exitCode];

/** What a call as a whole came to: something refused outweighs something that could not be evaluated. */
export function worst(codes: ReadonlySet<ExitCode>): ExitCode {
  if (codes.has(exitCode.violation)) return exitCode.violation;
  return codes.has(exitCode.unevaluated) ? exitCode.unevaluated : exitCode.pass;
}

/** Somewhere to write text, as `process.stdout` is. */
export interface TextOutput {
  readonly write: (text: string) => void;
  readonly isTerminal: boolean;
  /** Columns of the terminal, where it is one. */
  readonly columns?: number | undefined;
}

/** What `apply` reads of a cluster, live or from manifests. */
export type ClusterReader = SkillSource &
  Pick<ClusterView, "namespaceLabels"> & { readonly close?: () => Promise<void> };

/** One option of `serve`, with the environment variable that stands for it. */
export interface ServeFlag {
  /** As help shows it, `--port <number>`. */
  readonly flag: string;
  readonly description: string;
  readonly env: string;
  readonly default?: string;
}

/** What `unregister` is asked to do; what is absent, the environment or a default says. */
export interface UnregisterRequest {
  readonly inCluster: boolean;
  readonly kubeconfig?: string;
  readonly namespace?: string;
  readonly service?: string;
  readonly lease?: string;
  readonly seconds: number;
}

/** What became of it, and where. */
export interface UnregisterOutcome {
  readonly server: string;
  readonly namespace: string;
  readonly lease: string;
  readonly result: {
    readonly gone: boolean;
    readonly found: boolean;
    /** Otherwise why running replicas could not be told. */
    readonly marked: true | string;
    readonly problem?: string;
  };
}

/** Everything that the commands need from outside; the composition root supplies it. */
export interface CommandLine {
  /** Of the product, for `--version` and SARIF. */
  readonly version: string;
  readonly stdout: TextOutput;
  readonly stderr: TextOutput;
  /** Everything on standard input. */
  readonly readStdin: () => Promise<Uint8Array>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** False where `NO_COLOR` is set. */
  readonly colour: boolean;
  /** SKILL_ADMISSION_KEY_PASSPHRASE: for an encrypted key. Never taken from the arguments, which others can see. */
  readonly passphrase?: string | undefined;
  /** SIGSTORE_ID_TOKEN: the identity of who signs without a key. */
  readonly identityToken?: string | undefined;
  /** Where a job of GitHub Actions that may have an identity token asks for it, and what it shows there. */
  readonly githubActions?: { readonly requestUrl: string; readonly requestToken: string } | undefined;
  /** @throws SourceError */
  readonly readSkillDirectory: (directory: string) => Promise<Skill>;
  /** A cluster of nothing but these ConfigMaps, Secrets and Namespaces. Rejects where two are the same. */
  readonly openOffline: (objects: readonly PlacedObject[]) => Promise<ClusterReader>;
  /** The cluster that a kubeconfig names; the usual one where none is given. */
  readonly openCluster: (kubeconfig: string | undefined) => Promise<ClusterReader>;
  /** The options of `serve`, from the one place that knows the configuration. */
  readonly serveFlags: () => Promise<readonly ServeFlag[]>;
  /** Runs the webhook until it is told to stop. Flags are named in camel case: `--tls-key-file` is `tlsKeyFile`. */
  readonly serve: (flags: Readonly<Record<string, string>>) => Promise<number>;
  /** Removes the webhook's registration. @throws UsageError where the cluster cannot be spoken to as asked */
  readonly unregister: (request: UnregisterRequest) => Promise<UnregisterOutcome>;
}

/** A call that cannot be carried out as it was made: the message says what is wrong, the remedy what to do. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  readonly remedy: string | undefined;

  constructor(message: string, remedy?: string, options?: ErrorOptions) {
    super(message, options);
    this.remedy = remedy;
  }
}
