import { RememberedWalks } from "../../evaluation/remembered-walks.ts";
import { EvidenceCache } from "../../evidence/evidence-cache.ts";
import { skillCount } from "../../policy/failure-count.ts";
import type { Verdict } from "../../policy/finding.ts";
import { SourceError } from "../../skill/source-error.ts";
import { printable, printableLines } from "../../text/printable.ts";
import { exitCode, UsageError, worst, type CommandLine, type ExitCode } from "../command-line.ts";
import type { ClusterAddress, LiveReader } from "../../evaluation/live-reader.ts";
import { readDistinctManifests } from "../files/distinct-objects.ts";
import { objectItem, type AppliedObject } from "../report/object-item.ts";
import { progress, tableOutput } from "../report/progress.ts";
import type { Reporter } from "../report/report-item.ts";
import { createReporter, type OutputFormat } from "../report/reporter.ts";
import { policiesInForce, type PolicyOptions } from "./policies-in-force.ts";
import { reviewObject, type ReviewOptions } from "./review-object.ts";
import { layered, namespaceView, openFiles } from "./surroundings.ts";
import { differingTwins, podsOf, workloadsIn, type Workloads } from "./workloads.ts";

export interface ApplyOptions extends PolicyOptions, ClusterAddress {
  /** Files; absent: the pods of the cluster. */
  readonly resource?: readonly string[];
  /** Reads from the cluster what the files lack. */
  readonly cluster?: boolean;
  /** Namespace of objects that name none; without files, the only one whose pods are reviewed. */
  readonly namespace?: string;
  readonly output: OutputFormat;
}

/** @throws UsageError */
function assertCall({ policy = [], resource, cluster, kubeconfig, context }: ApplyOptions): void {
  if ([...policy, ...(resource ?? [])].filter((path) => path === "-").length > 1)
    throw new UsageError("standard input (-) is named twice", "it can be read only once");
  if (cluster === true) return;
  if (kubeconfig !== undefined || context !== undefined)
    throw new UsageError("--kubeconfig and --context go with --cluster", "add it, or leave them out");
  if (resource === undefined)
    throw new UsageError(
      "no objects are named",
      "name files with --resource, or review the pods of a cluster with --cluster",
    );
}

/**
 * `skill-admission apply`: reviews objects as the webhook would, without a webhook: those of files, or the pods of a
 * cluster, by policies of files or of the cluster. Only reads.
 * @throws UsageError for files that cannot be read, or policies in them that are wrong
 */
export async function applyResources(options: ApplyOptions, line: CommandLine): Promise<ExitCode> {
  assertCall(options);
  const live = options.cluster === true ? await line.openCluster(options) : undefined;
  try {
    return await applyTo(options, live, line);
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    return unevaluated(error, line);
  } finally {
    await live?.close?.();
  }
}

function unevaluated({ message }: SourceError, line: CommandLine): ExitCode {
  line.stderr.write(`error: ${printableLines(message)}\n`);
  return exitCode.unevaluated;
}

async function applyTo(
  options: ApplyOptions,
  live: LiveReader | undefined,
  line: CommandLine,
): Promise<ExitCode> {
  const { resource, namespace = "default" } = options;
  const { snapshot, unreadable } = await policiesInForce(options, live, line);
  const manifests = await readDistinctManifests(resource ?? [], line, "apply -f -");
  for (const twin of differingTwins(manifests, namespace))
    line.stderr.write(`warning: ${printable(twin, 600)}\n`);
  const files = await openFiles(manifests, namespace, line);
  const deps = {
    cluster: namespaceView(files, live, snapshot),
    source: layered(files, live),
    policies: { current: () => snapshot },
    evidence: new EvidenceCache(),
    walks: new RememberedWalks(),
    measure: <T>(_skill: unknown, work: () => T): T => work(),
  };
  const workloads =
    resource === undefined && live !== undefined
      ? await storedPods(live, options.namespace, line)
      : workloadsIn(manifests, namespace);
  try {
    const review = { context: { deps, now: line.now() }, unreadable, namespace };
    return await report(workloads, review, options.output, line);
  } finally {
    await files.close?.();
  }
}

/** @throws SourceError where the namespace does not exist: no pods are listed then, which would look like a pass */
async function storedPods(
  live: LiveReader,
  namespace: string | undefined,
  line: CommandLine,
): Promise<Workloads> {
  const labels =
    namespace === undefined ? undefined : await live.namespaceLabels(namespace, AbortSignal.timeout(30_000));
  const { names, unknown, reviews } = await live.exemptions();
  const isExempt = labels !== undefined && reviews?.(labels) === false;
  if (namespace !== undefined && (isExempt || names.has(namespace)))
    line.stderr.write(
      `the webhook is not asked about Namespace ${namespace}, which is exempt: its pods come in whatever is said of them here\n`,
    );
  else if (unknown !== undefined)
    line.stderr.write(
      `only ${[...names].join(", ")} count as exempt; what webhook.exemptNamespaces names is not known here: ${printableLines(unknown)}\n`,
    );
  return podsOf(live, namespace);
}

/** Outcome of a report. */
interface Tally {
  readonly codes: Set<ExitCode>;
  /** Objects that make pods. */
  carriers: number;
  /** Stored pods that are not listed, by the reason. */
  ungoverned: number;
  withoutSkills: number;
}

const hasFindings = (verdicts: readonly Verdict[]): boolean =>
  verdicts.some(({ skills }) => skills.some(({ findings }) => findings.length > 0));

/** Counts a stored pod of which there is nothing to say: a cluster has thousands. */
function isLeftOut(applied: AppliedObject, tally: Tally): boolean {
  if (applied.state !== "reviewed" || skillCount(applied.skills) > 0 || hasFindings(applied.verdicts))
    return false;
  if (applied.verdicts.length === 0) tally.ungoverned += 1;
  else tally.withoutSkills += 1;
  return true;
}

async function reviewAll(
  { each, total }: Workloads,
  review: ReviewOptions,
  reporter: Reporter,
  { line, tally }: { readonly line: CommandLine; readonly tally: Tally },
): Promise<void> {
  const shown = progress(line.stderr, total);
  for await (const workload of each) {
    shown.step(workload.file);
    const applied = await reviewObject(workload, review);
    shown.clear();
    if (applied === undefined) continue;
    tally.carriers += 1;
    if (workload.isStored && isLeftOut(applied, tally)) continue;
    const item = objectItem(applied);
    tally.codes.add(item.exit);
    reporter.item(item);
  }
}

async function report(
  workloads: Workloads,
  review: ReviewOptions,
  output: OutputFormat,
  line: CommandLine,
): Promise<ExitCode> {
  const { layout, areStored } = workloads;
  const suite = "skill-admission apply";
  const reporter = await createReporter(output, tableOutput(line), { layout, suite, version: line.version });
  const tally: Tally = { codes: new Set(), carriers: 0, ungoverned: 0, withoutSkills: 0 };
  try {
    await reviewAll(workloads, review, reporter, { line, tally });
  } catch (error) {
    // A list that breaks off must not hide what was found before.
    if (!(error instanceof SourceError) || tally.carriers === 0) throw error;
    tally.codes.add(unevaluated(error, line));
  }
  reporter.end();
  const { carriers, ungoverned, withoutSkills } = tally;
  if (areStored)
    line.stderr.write(`not listed: ${withoutSkills} without skills, ${ungoverned} that no policy governs\n`);
  else if (carriers === 0)
    line.stderr.write("nothing in these files makes a pod, so nothing brings in a skill\n");
  return worst(tally.codes);
}
