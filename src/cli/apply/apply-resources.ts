import type { ClusterView } from "../evaluation/cluster-view.ts";
import { evaluate, effectivePolicies, skillsOf, type ReviewContext } from "../evaluation/evaluate.ts";
import { EvidenceCache } from "../evidence/evidence-cache.ts";
import type { PolicySnapshot } from "../policy/policy.ts";
import { SourceError } from "../skill/source-error.ts";
import { volumeObjectKinds, type SkillSource } from "../skill/source.ts";
import { podOf } from "../workload/carriers/pod-of.ts";
import type { PlacedObject } from "../kubernetes/manifest-object.ts";
import { metadataOf, nameOf, namespaceOf } from "../kubernetes/object.ts";
import { UsageError, worst, type ClusterReader, type CommandLine, type ExitCode } from "./command-line.ts";
import { readManifests, type Manifest } from "./files/manifests.ts";
import { progress, tableOutput } from "./report/progress.ts";
import { objectItem, type AppliedObject } from "./report/object-item.ts";
import type { TableLayout } from "./report/report-item.ts";
import { createReporter, type OutputFormat } from "./report/reporter.ts";
import { snapshotOf } from "./trust/policy-sources.ts";

export interface ApplyOptions {
  readonly policy: readonly string[];
  readonly resource: readonly string[];
  /** Reads Namespaces and ConfigMaps that the files lack from the cluster. */
  readonly cluster?: boolean;
  readonly kubeconfig?: string;
  /** Namespace of objects that name none. */
  readonly namespace: string;
  readonly output: OutputFormat;
}

const deadlineMs = 30_000;

const surroundings: ReadonlySet<unknown> = new Set([...volumeObjectKinds, "Namespace"]);

/** Objects of the files that pods refer to. */
function placed(manifests: readonly Manifest[], namespace: string): readonly PlacedObject[] {
  return manifests.flatMap((manifest) => {
    const { object, file } = manifest;
    const { name } = metadataOf(object);
    if (object.apiVersion !== "v1" || !surroundings.has(object.kind)) return [];
    const kind = String(object.kind);
    if (typeof name !== "string")
      throw new UsageError(`${file}: a ${kind} has no metadata.name`, "give it one");
    const home = kind === "Namespace" ? undefined : namespaceOf(object, namespace);
    return [{ file, entry: { apiVersion: "v1", kind, name, namespace: home, object } }];
  });
}

async function openFiles(
  manifests: readonly Manifest[],
  namespace: string,
  line: CommandLine,
): Promise<ClusterReader> {
  const objects = placed(manifests, namespace);
  try {
    return await line.openOffline(objects);
  } catch (cause) {
    if (!(cause instanceof Error) || cause.name !== "ManifestError") throw cause;
    throw new UsageError(cause.message, "correct the files", { cause });
  }
}

/** Files first, then the cluster: a file that is about to be applied is newer than the cluster's object. */
function layered(files: ClusterReader, live: ClusterReader | undefined): SkillSource {
  return {
    read: async (ref, signal) => (await files.read(ref, signal)) ?? (await live?.read(ref, signal)),
  };
}

/**
 * Labels of a namespace from the files, else from the cluster. Where neither has them, only the name is known: enough
 * if every policy governs the namespace by that alone, because any other label could decide otherwise.
 */
function namespaceView(
  files: ClusterReader,
  live: ClusterReader | undefined,
  { policies }: PolicySnapshot,
): ClusterView {
  return {
    podsUsing: () => [],
    async namespaceLabels(name, signal) {
      try {
        return await files.namespaceLabels(name, signal);
      } catch (cause) {
        if (!(cause instanceof SourceError)) throw cause;
        if (live !== undefined) return live.namespaceLabels(name, signal);
        const labels = { "kubernetes.io/metadata.name": name };
        if (policies.every((policy) => policy.appliesTo(name, labels))) return labels;
        throw new SourceError(
          "SOURCE_UNAVAILABLE",
          `the labels of namespace ${name} decide which policies govern it, and no file has them; add its manifest, or use --cluster`,
          { cause },
        );
      }
    },
  };
}

/** Review of one object; undefined where it makes no pod and so brings in no skill. */
async function applyOne(
  manifest: Manifest,
  namespace: string,
  context: Omit<ReviewContext, "signal">,
): Promise<AppliedObject | undefined> {
  const { object, file } = manifest;
  const place = namespaceOf(object, namespace);
  const subject = { kind: String(object.kind), namespace: place, name: nameOf(object), file };
  try {
    const pod = podOf(object, place);
    if (pod === undefined) return undefined;
    const full: ReviewContext = { ...context, signal: AbortSignal.timeout(deadlineMs) };
    const effective = await effectivePolicies(place, full);
    const references = await skillsOf(pod, effective.policies, full);
    const evaluation = await evaluate(references, effective, pod, full);
    return { ...subject, name: pod.name, state: "reviewed", ...evaluation };
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    return { ...subject, state: "failed", code: error.code, message: error.message };
  }
}

function layoutOf(manifests: readonly Manifest[], namespace: string): TableLayout {
  const titles = manifests
    .filter(({ object }) => !surroundings.has(object.kind))
    .map(
      ({ object }) =>
        `${String(object.kind)} ${namespaceOf(object, namespace)}/${String(metadataOf(object)["name"])}`,
    );
  return {
    title: "OBJECT",
    columns: [
      { heading: "SKILLS", width: 6 },
      { heading: "POLICIES", width: 8 },
    ],
    noun: "object",
    titleWidth: titles.reduce((most, { length }) => Math.max(most, length), 0),
  };
}

/**
 * `skill-admission apply`: reviews objects as the webhook would, without a webhook.
 * @throws UsageError for files that cannot be read, or policies that are wrong
 */
export async function applyResources(options: ApplyOptions, line: CommandLine): Promise<ExitCode> {
  const both = [...options.policy, ...options.resource].filter((path) => path === "-");
  if (both.length > 1) throw new UsageError("standard input (-) is named twice", "it can be read only once");
  const snapshot = snapshotOf(await readManifests(options.policy, line), options.policy, line);
  const manifests = await readManifests(options.resource, line);
  const files = await openFiles(manifests, options.namespace, line);
  const live = options.cluster === true ? await line.openCluster(options.kubeconfig) : undefined;
  try {
    return await report(manifests, options, {
      line,
      deps: {
        cluster: namespaceView(files, live, snapshot),
        source: layered(files, live),
        policies: { current: () => snapshot },
        evidence: new EvidenceCache(),
        measure: (_skill, work) => work(),
      },
    });
  } finally {
    await live?.close?.();
    await files.close?.();
  }
}

async function report(
  manifests: readonly Manifest[],
  options: ApplyOptions,
  { line, deps }: { readonly line: CommandLine; readonly deps: ReviewContext["deps"] },
): Promise<ExitCode> {
  const reporter = await createReporter(options.output, tableOutput(line), {
    layout: layoutOf(manifests, options.namespace),
    suite: "skill-admission apply",
    version: line.version,
  });
  const shown = progress(line.stderr, manifests.length);
  const codes = new Set<ExitCode>();
  let carriers = 0;
  for (const manifest of manifests) {
    shown.step(manifest.file);
    const applied = await applyOne(manifest, options.namespace, { deps, now: line.now() });
    shown.clear();
    if (applied === undefined) continue;
    carriers += 1;
    const item = objectItem(applied);
    codes.add(item.exit);
    reporter.item(item);
  }
  reporter.end();
  if (carriers === 0) line.stderr.write("nothing in these files makes a pod, so nothing brings in a skill\n");
  return worst(codes);
}
