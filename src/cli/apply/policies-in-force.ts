import type { Mode } from "../../policy/finding.ts";
import { UsageError, type CommandLine } from "../command-line.ts";
import type { LiveReader } from "../../evaluation/live-reader.ts";
import { readDistinctManifests } from "../files/distinct-objects.ts";
import { readClusterPolicies, type PoliciesInForce } from "../trust/cluster-policies.ts";
import { filePolicies } from "../trust/file-policies.ts";
import { snapshotOf } from "../trust/policy-sources.ts";

/** Options that choose the policies. */
export interface PolicyOptions {
  /** Files; absent: the cluster's. */
  readonly policy?: readonly string[];
  /** Mode of every policy, whatever its own. */
  readonly asMode?: Mode;
  /** The controller's own namespace, for what the cluster's trust roots refer to. */
  readonly controllerNamespace: string;
}

async function read(
  { policy, controllerNamespace }: PolicyOptions,
  live: LiveReader | undefined,
  line: CommandLine,
): Promise<PoliciesInForce> {
  if (policy !== undefined) {
    const manifests = await readDistinctManifests(policy, line, "apply --policy -");
    const snapshot =
      live === undefined
        ? snapshotOf(manifests, policy, line)
        : await filePolicies(manifests, policy, { live, controllerNamespace }, line);
    return { snapshot, unreadable: () => undefined };
  }
  if (live !== undefined) return readClusterPolicies(live, controllerNamespace, line);
  throw new UsageError(
    "no policies are named",
    "name files with --policy, or take those of a cluster with --cluster",
  );
}

/**
 * The policies of the files that a call names, else those of the cluster, in the mode that it asks for.
 * @throws UsageError for files that cannot be read or policies in them that are wrong
 * @throws SourceError where those of the cluster cannot be listed
 */
export async function policiesInForce(
  options: PolicyOptions,
  live: LiveReader | undefined,
  line: CommandLine,
): Promise<PoliciesInForce> {
  const inForce = await read(options, live, line);
  const { asMode: mode } = options;
  if (mode === undefined) return inForce;
  const { policies, trust } = inForce.snapshot;
  return {
    ...inForce,
    snapshot: { policies: policies.map((one) => (one.always === undefined ? { ...one, mode } : one)), trust },
  };
}
