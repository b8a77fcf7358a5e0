import { defined } from "../text/fields.ts";
import {
  clusterCallOf,
  exitCode,
  type ClusterCallFlags,
  type CommandLine,
  type UnregisterRequest,
} from "./command-line.ts";

/** Flags of `unregister`, parsed. */
export interface UnregisterFlags extends ClusterCallFlags {
  readonly namespace?: string;
  readonly service?: string;
  readonly lease?: string;
}

function requestOf(flags: UnregisterFlags): UnregisterRequest {
  const { namespace, service, lease } = flags;
  return { ...clusterCallOf(flags), ...defined({ namespace, service, lease }) };
}

/**
 * Removes the webhook's registration, and reports first the result, last how to register again where an installation is
 * there to do it.
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
  if (marked === false) {
    line.stdout.write(
      `there is no installation in Namespace ${namespace}, neither Service nor Lease; name another one with --namespace, --service and --lease\n`,
    );
    return exitCode.pass;
  }
  if (marked === true) line.stdout.write("running replicas leave it so\n");
  else line.stderr.write(`warning: running replicas could not be told to leave it so: ${marked}\n`);
  line.stdout.write(
    "to register it again: install anew, or\n" +
      `  kubectl -n ${namespace} annotate lease ${lease} skill-admission.dev/unregistered-\n`,
  );
  return exitCode.pass;
}
