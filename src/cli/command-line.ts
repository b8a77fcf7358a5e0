import { defined } from "../text/fields.ts";
import type { ClusterAddress, ClusterReader, LiveReader } from "../evaluation/live-reader.ts";
import type { Skill } from "../skill/skill.ts";
import type { PlacedObject } from "../kubernetes/manifest-object.ts";

/** Exit codes: all passed, a policy is violated, wrong call or bad input, could not be evaluated. */
export const exitCode = { pass: 0, violation: 1, usage: 2, unevaluated: 3 } as const;

export type ExitCode = (typeof exitCode)[keyof typeof exitCode];

/** Exit code of a whole call: a violation outweighs an item that could not be evaluated. */
export function worst(codes: ReadonlySet<ExitCode>): ExitCode {
  if (codes.has(exitCode.violation)) return exitCode.violation;
  return codes.has(exitCode.unevaluated) ? exitCode.unevaluated : exitCode.pass;
}

/** Text stream, such as `process.stdout`. */
export interface TextOutput {
  readonly write: (text: string) => void;
  readonly isTerminal: boolean;
  /** Columns of the terminal; absent where the stream is none. */
  readonly columns?: number | undefined;
}

/** One option of `serve`, with its environment variable. */
export interface ServeFlag {
  /** As help shows it: `--port <number>`. */
  readonly flag: string;
  readonly description: string;
  readonly env: string;
  readonly default?: string;
  /** A valid value other than the default. */
  readonly example: string;
}

/** How a command that changes or asks the cluster reaches it, and for how long it tries. */
export interface ClusterCall {
  readonly inCluster: boolean;
  readonly kubeconfig?: string;
  readonly seconds: number;
}

/** Request to `unregister`; absent fields come from the environment or have a default. */
export interface UnregisterRequest extends ClusterCall {
  readonly namespace?: string;
  readonly service?: string;
  readonly lease?: string;
}

/** Result of `unregister`, with the cluster and the objects that it was about. */
export interface UnregisterOutcome {
  readonly server: string;
  readonly namespace: string;
  readonly lease: string;
  readonly result: {
    readonly gone: boolean;
    readonly found: boolean;
    /** True; false where no installation is there; or the reason why running replicas could not be told. */
    readonly marked: boolean | string;
    readonly problem?: string;
  };
}

/** Request to `canary`; absent fields come from the environment or have a default. */
export interface CanaryRequest extends ClusterCall {
  readonly namespace?: string;
  readonly configMap?: string;
}

/** Result of `canary`: how the API server answered about a pod with an unsigned skill, after one without any was let in. */
export interface CanaryOutcome {
  readonly server: string;
  readonly namespace: string;
  /** `unclear`: neither was seen; the text says what was. */
  readonly answer: "denied" | "admitted" | "unclear";
  /** The API server's words. */
  readonly said: string;
}

/** Port: everything that the commands need from outside. The composition root supplies it. */
export interface CommandLine {
  /** Version of the product, for `--version` and SARIF. */
  readonly version: string;
  readonly stdout: TextOutput;
  readonly stderr: TextOutput;
  /** All of standard input. */
  readonly readStdin: () => Promise<Uint8Array>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** False where `NO_COLOR` is set. */
  readonly colour: boolean;
  /** SKILL_ADMISSION_KEY_PASSPHRASE opens an encrypted key. Never an argument: other users can list those. */
  readonly passphrase?: string | undefined;
  /** SIGSTORE_ID_TOKEN: identity token of a keyless signer. */
  readonly identityToken?: string | undefined;
  /** Endpoint at which a GitHub Actions job requests its identity token, and the bearer token for that request. */
  readonly githubActions?: { readonly requestUrl: string; readonly requestToken: string } | undefined;
  /** @throws SourceError */
  readonly readSkillDirectory: (directory: string) => Promise<Skill>;
  /**
   * Cluster of these ConfigMaps, Secrets and Namespaces alone.
   * @throws ManifestError (the promise rejects) where two objects have the same name
   */
  readonly openOffline: (objects: readonly PlacedObject[]) => Promise<ClusterReader>;
  /** @throws UsageError where there is no such cluster */
  readonly openCluster: (address: ClusterAddress) => Promise<LiveReader>;
  /** Options of `serve`, loaded on demand. */
  readonly serveFlags: () => Promise<readonly ServeFlag[]>;
  /** Runs the webhook until a signal stops it. Keys are in camel case: `--tls-key-file` is `tlsKeyFile`. */
  readonly serve: (flags: Readonly<Record<string, string>>) => Promise<number>;
  /**
   * Removes the webhook's registration.
   * @throws UsageError where the cluster cannot be reached with the given credentials
   */
  readonly unregister: (request: UnregisterRequest) => Promise<UnregisterOutcome>;
  /**
   * Tries, without storing anything, whether an unsigned skill is denied.
   * @throws UsageError where the cluster cannot be reached with the given credentials
   */
  readonly canary: (request: CanaryRequest) => Promise<CanaryOutcome>;
}

/** A call that cannot be carried out: the message says what is wrong, the remedy what to do. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  readonly remedy: string | undefined;

  constructor(message: string, remedy?: string, options?: ErrorOptions) {
    super(message, options);
    this.remedy = remedy;
  }
}

/** Flags of a ClusterCall, parsed. */
export interface ClusterCallFlags {
  readonly inCluster?: boolean;
  readonly kubeconfig?: string;
  readonly timeout: string;
}

const maxTimeout = 600;

/** @throws UsageError */
export function clusterCallOf({ inCluster = false, kubeconfig, timeout }: ClusterCallFlags): ClusterCall {
  if (inCluster && kubeconfig !== undefined)
    throw new UsageError("--in-cluster and --kubeconfig exclude each other", "Leave one of them out.");
  const seconds = /^\d{1,3}$/.test(timeout) ? Number(timeout) : 0;
  if (seconds >= 5 && seconds <= maxTimeout) return { inCluster, seconds, ...defined({ kubeconfig }) };
  throw new UsageError(
    `--timeout ${JSON.stringify(timeout)} is no whole number of seconds from 5 to ${maxTimeout}`,
  );
}
