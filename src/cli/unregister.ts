import { defined } from "../text/fields.ts";
import { exitCode, UsageError, type CommandLine, type UnregisterRequest } from "./command-line.ts";

/** Flags of `unregister`, parsed. */
export interface UnregisterFlags {
  readonly inCluster?: boolean;
  readonly kubeconfig?: string;
  readonly namespace?: string;
  readonly service?: string;
  readonly lease?: string;
  readonly timeout: string;
}

const maxTimeout = 600;

function secondsOf(text: string): number {
  const seconds = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (seconds >= 5 && seconds <= maxTimeout) return seconds;
  throw new UsageError(
    `--timeout ${JSON.stringify(text)} is no whole number of seconds from 5 to ${maxTimeout}`,
  );
}

function requestOf(flags: UnregisterFlags): UnregisterRequest {
  const { inCluster = false, kubeconfig, namespace, service, lease } = flags;
  if (inCluster && kubeconfig !== undefined)
    throw new UsageError("--in-cluster and --kubeconfig exclude each other", "Leave one of them out.");
  return {
    inCluster,
    seconds: secondsOf(flags.timeout),
    ...defined({ kubeconfig, namespace, service, lease }),
  };
}

/**
 * Removes the webhook's registration, and reports first the result, last how to register again.
 * @throws UsageError for a call that cannot be carried out
 */
export async function runUnregister(flags: UnregisterFlags, line: CommandLine): Promise<number> {
  const { server, namespace, lease, result } = await line.unregister(requestOf(flags));
  const { gone, found, marked, problem } = result;
  if (!gone) {
    line.stderr.write(
      `error: the webhook is still registered at ${server}: ${problem ?? "unknown"}\n` +
        `Delete it by hand: kubectl delete validatingwebhookconfiguration skill-admission\n`,
    );
    return exitCode.unevaluated;
  }
  const first = found ? "unregistered" : "was not registered";
  line.stdout.write(`${first} at ${server}: the API server asks nobody about skills, and lets all in\n`);
  if (marked === true) {
    line.stdout.write("running replicas leave it so\n");
  } else {
    line.stderr.write(`warning: running replicas could not be told to leave it so: ${marked}\n`);
  }
  line.stdout.write(
    "to register it again: install anew, or\n" +
      `  kubectl -n ${namespace} annotate lease ${lease} skill-admission.dev/unregistered-\n`,
  );
  return exitCode.pass;
}
