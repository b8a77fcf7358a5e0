import { setImmediate as turn } from "node:timers/promises";
import { expect, vi } from "vitest";
import { EvidenceCache } from "../../../src/evidence/evidence-cache.ts";
import { effectivePolicies, evaluate, skillsOf } from "../../../src/evaluation/evaluate.ts";
import type { KubernetesObject, Labels } from "../../../src/kubernetes/object.ts";
import { decodeVolumeObject } from "../../../src/kubernetes/volume-object.ts";
import type { PolicySnapshot } from "../../../src/policy/policy.ts";
import type { Notice, RecheckDeps, Standing } from "../../../src/recheck/ports.ts";
import { Recheck } from "../../../src/recheck/recheck.ts";
import { SourceError } from "../../../src/skill/source-error.ts";
import type { VolumeObject, VolumeObjectRequest } from "../../../src/skill/source.ts";
import { podOf } from "../../../src/workload/carriers/pod-of.ts";
import type { ObjectReference } from "../../../src/workload/carriers/owner.ts";
import { compileObjects } from "../../fixtures/compile.ts";
import { configMapOf, namespace, now, podFor, policyObject } from "../admission/world.ts";
import type { Skill } from "../../../src/skill/skill.ts";

type Part = Readonly<Record<string, unknown>>;

/** An owner as pods name it. */
export const replicaSet = (name: string): Part => ({
  apiVersion: "apps/v1",
  kind: "ReplicaSet",
  name,
  uid: `uid-of-${name}`,
  controller: true,
});

/** A cluster that stores objects with versions, and the leader that looks at it through watches. */
export class StoredWorld {
  readonly labels = new Map<string, Labels>([[namespace, { tenant: "payments" }]]);
  readonly pods = new Map<string, KubernetesObject>();
  /** Every version of each ConfigMap, the latest last; undefined: deleted then. */
  readonly history = new Map<
    string,
    { readonly version: string; readonly object: KubernetesObject | undefined }[]
  >();
  readonly notices: Notice[] = [];
  /** How many pods there was no memory for, each time that it was told. */
  readonly leftOut: number[] = [];
  readonly problems: string[] = [];
  readonly passes: { readonly seconds: number; readonly complete: boolean }[] = [];
  standings: readonly Standing[] | undefined;
  /** What pods meet of trust, publishers and revocations. */
  seen: ReadonlySet<string> | undefined;
  reads = 0;
  /** What reads are answered with instead. */
  failing: SourceError | undefined;
  /** How often. */
  failures = Infinity;
  /** What versions are answered with instead. */
  failingVersions: SourceError | undefined;
  /** A namespace whose objects are read no sooner than then. */
  slow: { readonly namespace: string; readonly until: Promise<unknown> } | undefined;
  /** Deployments by the name of their ReplicaSet. */
  readonly deployments = new Map<string, string>();
  readonly recheck: Recheck;
  readonly #stop = new AbortController();
  #snapshot: PolicySnapshot = compileObjects([policyObject()]);
  #version = 100;
  #passDue = Promise.withResolvers<undefined>();
  #running: Promise<void> | undefined;
  #time = now;

  constructor(memoryLimit?: number) {
    this.recheck = new Recheck(this.#deps(), memoryLimit);
  }

  #deps(): RecheckDeps {
    return {
      review: {
        cluster: {
          podsUsing: () => [],
          namespaceLabels: (name) => {
            const labels = this.labels.get(name);
            return labels === undefined
              ? Promise.reject(new SourceError("SOURCE_UNAVAILABLE", `there is no Namespace ${name}`))
              : Promise.resolve(labels);
          },
        },
        source: { read: () => Promise.reject(new Error("nothing is read but by open")) },
        policies: { current: () => this.#snapshot },
        evidence: new EvidenceCache(),
        measure: (_skill, work) => work(),
      },
      open: () => ({ read: (request) => this.#read(request), release: () => undefined }),
      readVersion: (request, version) => this.#readVersion(request, version),
      topOwner: (owner) => Promise.resolve(this.#topOf(owner)),
      clock: {
        now: () => (this.#time += 1),
        // Reports and second tries come at once; a pass, when a test says so.
        sleep: (milliseconds, signal) =>
          milliseconds < 60_000
            ? turn()
            : Promise.race([
                this.#passDue.promise,
                new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve())),
              ]).then(() => undefined),
        deadline: (signal) => signal,
      },
      onNotice: (notice) => this.notices.push(notice),
      onStanding: (standings, seen) => {
        this.standings = standings;
        this.seen = seen;
      },
      onLeftOut: (pods) => this.leftOut.push(pods),
      onPass: (pass) => this.passes.push(pass),
      onProblem: (problem) => this.problems.push(problem),
    };
  }

  #topOf(owner: ObjectReference): ObjectReference | undefined {
    if (owner.name.startsWith("forged")) return undefined;
    const name = this.deployments.get(owner.name);
    return name === undefined
      ? owner
      : { apiVersion: "apps/v1", kind: "Deployment", name, namespace, uid: `uid-of-${name}` };
  }

  async #read(request: VolumeObjectRequest): Promise<VolumeObject | undefined> {
    this.reads += 1;
    await turn();
    if (this.slow?.namespace === request.namespace) await this.slow.until;
    if (this.failing !== undefined && (this.failures -= 1) >= 0) throw this.failing;
    const object = this.history.get(request.name)?.at(-1)?.object;
    return object && decodeVolumeObject(object, request);
  }

  async #readVersion(request: VolumeObjectRequest, version: string): Promise<VolumeObject | undefined> {
    await turn();
    if (this.slow?.namespace === request.namespace) await this.slow.until;
    if (this.failingVersions !== undefined) throw this.failingVersions;
    const found = this.history.get(request.name)?.find((one) => one.version === version)?.object;
    return found && decodeVolumeObject(found, request);
  }

  /** Begins to look, with everything listed. */
  start(): this {
    for (const [key, pod] of this.pods) this.recheck.podStored(key, pod);
    this.recheck.listed();
    this.#running = this.recheck.run(this.#stop.signal);
    return this;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#passDue.resolve(undefined);
    await this.#running;
  }

  passIsDue(): void {
    this.#passDue.resolve(undefined);
    this.#passDue = Promise.withResolvers<undefined>();
  }

  govern(...policies: readonly KubernetesObject[]): void {
    this.revoke([], ...policies);
  }

  /** Puts lists of revocations in force, with these policies. */
  revoke(revocationLists: readonly KubernetesObject[], ...policies: readonly KubernetesObject[]): void {
    this.#snapshot = compileObjects(policies, [], { revocationLists });
    this.recheck.policiesChanged();
  }

  /** Stores a skill in a ConfigMap; what is returned brings the event of the watch. */
  put(skill: Skill | undefined, name = "skills-etl"): () => void {
    const version = String((this.#version += 1));
    const versions = this.history.get(name) ?? [];
    this.history.set(name, versions);
    const stored = { ref: { kind: "ConfigMap", namespace, name } as const, resourceVersion: version };
    if (skill === undefined) {
      versions.push({ version, object: undefined });
      return () => this.recheck.configMapGone(stored);
    }
    const { object } = configMapOf(skill, name);
    const metadata = { ...(object.metadata as Part), uid: `uid-of-${name}`, resourceVersion: version };
    versions.push({ version, object: { ...object, metadata } });
    return () => this.recheck.configMapStored(stored);
  }

  /** Stores a pod that mounts such a ConfigMap. */
  create(name: string, skill: Skill, { from = "skills-etl", owner, more = {} }: PodOptions = {}): () => void {
    const { items } = configMapOf(skill);
    const pod = podFor(items, name);
    const spec = pod["spec"] as { volumes: readonly Part[] };
    const resourceVersion = String((this.#version += 1));
    const stored: KubernetesObject = {
      ...pod,
      metadata: {
        name,
        namespace,
        uid: `uid-of-${name}-${resourceVersion}`,
        resourceVersion,
        ...(owner === undefined ? {} : { ownerReferences: [owner] }),
        ...more,
      },
      spec: { ...spec, volumes: [{ name: "skill", configMap: { name: from, items } }] },
    };
    this.pods.set(`${namespace}/${name}`, stored);
    return () => this.recheck.podStored(`${namespace}/${name}`, stored);
  }

  delete(name: string): () => void {
    const key = `${namespace}/${name}`;
    const pod = this.pods.get(key);
    this.pods.delete(key);
    const resourceVersion = String((this.#version += 1));
    const last = pod && { ...pod, metadata: { ...(pod.metadata as Part), resourceVersion } };
    return () => this.recheck.podGone(key, last);
  }

  /** How many workloads do not meet each policy, by a judgement of everything as it is stored, one pod after the other. */
  async judgedAnew(): Promise<Readonly<Record<string, number>>> {
    const { review } = this.#deps();
    const source = { read: (request: VolumeObjectRequest) => this.#read(request) };
    const context = { deps: { ...review, source }, now, signal: this.#stop.signal };
    const short = new Map(this.#snapshot.policies.map(({ name }) => [name, new Set<string>()]));
    for (const object of this.pods.values()) {
      const pod = podOf(object, namespace)!;
      const effective = await effectivePolicies(namespace, context);
      const found = await skillsOf(pod, effective.policies, context);
      const { verdicts } = await evaluate(found, effective, pod, context);
      const [owner] = (object.metadata as { ownerReferences?: ObjectReference[] }).ownerReferences ?? [];
      const top = owner && this.#topOf(owner);
      for (const { policy, skills } of verdicts)
        if (
          skills.some(({ findings }) =>
            findings.some((one) => !one.tolerated && one.code !== "SOURCE_UNAVAILABLE"),
          )
        )
          short.get(policy)!.add(top === undefined ? `Pod ${pod.name}` : `${top.kind} ${top.name}`);
    }
    return Object.fromEntries([...short].map(([policy, workloads]) => [policy, workloads.size]));
  }

  get counts(): Readonly<Record<string, number>> | undefined {
    return (
      this.standings && Object.fromEntries(this.standings.map(({ policy, workloads }) => [policy, workloads]))
    );
  }

  /** Waits until what is said of policies is so. */
  async stands(counts: Readonly<Record<string, number>>): Promise<void> {
    await vi.waitFor(() => expect(this.counts).toEqual(counts), { timeout: 20_000, interval: 1 });
  }
}

interface PodOptions {
  readonly from?: string;
  readonly owner?: Part;
  /** More metadata. */
  readonly more?: Part;
}
