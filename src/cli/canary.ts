import { printableLines } from "../text/printable.ts";
import { defined } from "../text/fields.ts";
import {
  clusterCallOf,
  exitCode,
  type CanaryOutcome,
  type ClusterCallFlags,
  type CommandLine,
} from "./command-line.ts";

/** Flags of `canary`, parsed. */
export interface CanaryFlags extends ClusterCallFlags {
  readonly namespace?: string;
  readonly configMap?: string;
}

const texts: Readonly<Record<CanaryOutcome["answer"], (outcome: CanaryOutcome) => string>> = {
  denied: ({ server, namespace, said }) =>
    `denied, as it must be: at ${server} a pod with an unsigned skill does not get into ${namespace}\n${said}\n`,
  admitted: ({ server, namespace }) =>
    `error: nothing is checked: at ${server} a pod with an unsigned skill gets into ${namespace}\n` +
    "See that the webhook is registered (kubectl get validatingwebhookconfiguration skill-admission), that\n" +
    "a policy in mode Enforce governs that namespace (kubectl get clusterskillpolicies), and what the log says.\n",
  unclear: ({ server, namespace, said }) =>
    `error: it is not clear whether anything is checked at ${server}: nothing was denied in ${namespace} for an unsigned skill\n` +
    `${said}\nMend what stands there, and try again.\n`,
};

const codes: Readonly<Record<CanaryOutcome["answer"], number>> = {
  denied: exitCode.pass,
  admitted: exitCode.violation,
  unclear: exitCode.unevaluated,
};

/**
 * Tries whether an unsigned skill is denied, and reports first the result, last what to do.
 * @throws UsageError for a call that cannot be carried out
 */
export async function runCanary(flags: CanaryFlags, line: CommandLine): Promise<number> {
  const { namespace, configMap } = flags;
  const outcome = await line.canary({ ...clusterCallOf(flags), ...defined({ namespace, configMap }) });
  const stream = outcome.answer === "denied" ? line.stdout : line.stderr;
  stream.write(printableLines(texts[outcome.answer](outcome)));
  return codes[outcome.answer];
}
