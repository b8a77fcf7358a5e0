import { yieldToEventLoop } from "../evaluation/yield-to-event-loop.ts";
import { namespaceOf, type KubernetesObject } from "../kubernetes/object.ts";
import { describeRef } from "../kubernetes/volume-object.ts";
import { SourceError } from "../skill/source-error.ts";
import type { VolumeObjectRef } from "../skill/source.ts";
import { messageOf } from "../text/message-of.ts";
import { Busy } from "./busy.ts";
import { Crowded } from "./crowded.ts";
import { judgeStored } from "./judge-stored.ts";
import { nameWorkloads } from "./name-workloads.ts";
import { workloadKey } from "./notices.ts";
import { Pass } from "./pass.ts";
import type { RecheckDeps, StoredObjects, StoredVersion } from "./ports.ts";
import { cameUnder } from "./readers.ts";
import { RecentVersions } from "./recent-versions.ts";
import { maxAttempts, Retries } from "./retries.ts";
import { ruleOf } from "./rule-of.ts";
import type { Shape } from "./shape.ts";
import { shapeWork, type ShapeWork, type Wanted } from "./shape-work.ts";
import { leftOutTo, Shapes } from "./shapes.ts";
import { Seen } from "./seen.ts";
import { standingsOf } from "./standing.ts";
import { Told } from "./told.ts";
import { Workloads } from "./workloads.ts";
import { WorkQueue } from "./work-queue.ts";

/** Shapes that are judged at once, one of them for a look at everything: a slow read keeps the others from nothing. */
const atOnce = 4;
/** Works of one namespace that wait because something happened, at most. */
const maxWaiting = 1_000;
/** Milliseconds between two reports of how policies stand, and between two looks at everything. */
const reportEvery = 500;
const passEvery = 10 * 60_000;
/** Milliseconds between two judgements of a look at everything, at most. */
const longestRest = 250;

const stopped = (signal: AbortSignal): boolean => signal.aborted;

/**
 * Judges once more what is stored: each version of a pod, and of a ConfigMap that pods mount, as the watch shows it, and
 * everything when policies change and from time to time. Made anew for each time that this process leads.
 */
export class Recheck implements StoredObjects {
  readonly #deps: RecheckDeps;
  readonly #shapes: Shapes;
  readonly #recent: RecentVersions;
  readonly #queue = new WorkQueue<ShapeWork>();
  readonly #workloads: Workloads;
  readonly #pass: Pass;
  readonly #retries: Retries;
  readonly #busy = new Busy();
  readonly #crowded: Crowded;
  readonly #seen = new Seen();
  #changed = true;

  constructor(deps: RecheckDeps, memoryLimit?: number) {
    this.#deps = deps;
    this.#crowded = new Crowded(deps.onProblem);
    this.#shapes = new Shapes(memoryLimit, {
      onLeftOut: leftOutTo(deps),
      onForgotten: (namespace) => this.#crowded.begin(namespace),
    });
    this.#recent = new RecentVersions(() => deps.clock.now());
    this.#workloads = new Workloads(deps.topOwner, new Told(() => deps.clock.now(), deps.onProblem));
    this.#pass = new Pass(() => deps.clock.now());
    this.#retries = new Retries(deps.clock);
    this.#shapes.regroup(ruleOf(deps.review.policies.current().policies));
  }

  podStored(key: string, pod: KubernetesObject): void {
    try {
      const shape = this.#shapes.put(key, pod, namespaceOf(pod, key.split("/")[0] ?? ""));
      if (shape !== undefined) this.#joined(shape, key);
      this.#changed ||= shape !== undefined;
    } catch (error) {
      // The API server validated it; one that this version does not understand cannot be judged.
      this.#deps.onProblem(`Pod ${key} is not judged: ${messageOf(error)}`);
    }
  }

  podGone(key: string, pod?: KubernetesObject): void {
    this.#shapes.remove(key, pod);
    this.#touch();
  }

  podKeys(): IteratorObject<string> {
    return this.#shapes.keys();
  }

  configMapStored(version: StoredVersion): void {
    const before = this.#recent.latest(version.ref);
    this.#recent.add(version);
    this.#replaced(version.ref, before);
    for (const shape of this.#shapes.using(version.ref)) this.#add({ shape, version }, "now");
  }

  configMapGone(version: StoredVersion): void {
    const before = this.#recent.latest(version.ref);
    this.#recent.replaced(version);
    this.#replaced(version.ref, before);
  }

  listed(): void {
    this.#pass.allListed();
    this.#touch();
  }

  missed(): void {
    this.#lookAtAll();
  }

  policiesChanged(): void {
    this.#shapes.regroup(ruleOf(this.#deps.review.policies.current().policies));
    this.#lookAtAll();
  }

  namespaceChanged(name: string): void {
    for (const shape of this.#shapes.all()) if (shape.namespace === name) this.#add({ shape }, "now");
  }

  /** Works until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    signal.addEventListener("abort", () => this.#queue.wake(), { once: true });
    await Promise.all([
      this.#work(["now", "later"], signal),
      ...Array.from({ length: atOnce - 1 }, () => this.#work(["now"], signal)),
      this.#report(signal),
      this.#repeat(signal),
    ]);
  }

  /** Pods that came while a version was in force are to be judged by it, though it is no more by the time they are. */
  #replaced(ref: VolumeObjectRef, before: StoredVersion | undefined): void {
    for (const shape of this.#shapes.using(ref)) {
      this.#add({ shape }, "now");
      if (before !== undefined && cameUnder(shape, before)) this.#add({ shape, version: before }, "now");
    }
  }

  /** A pod that came, or that changed what it mounts, is judged by what may have been stored since it was. */
  #joined(shape: Shape, key: string): void {
    if (shape.result === undefined) {
      // What comes later is no part of the pass: it would never end where a tenant makes ever new pods.
      if (this.#pass.isListing) this.#pass.add(shape.id);
      this.#add({ shape }, this.#pass.isListing ? "later" : "now");
    } else if (shape.result.length > 0) this.#add({ shape }, "now");
    const since = this.#shapes.sinceOf(key);
    for (const used of shape.content?.uses ?? [])
      for (const { version } of this.#recent.inForceSince(used, since)) this.#add({ shape, version }, "now");
  }

  #lookAtAll(): void {
    const all = [...this.#shapes.all()];
    this.#pass.begin(all.map(({ id }) => id));
    for (const shape of all) this.#add({ shape }, "later");
    this.#touch();
  }

  #add(wanted: Wanted, lane: "now" | "later"): void {
    const { shape, version } = wanted;
    const { namespace } = shape;
    if (version !== undefined && this.#queue.waiting(namespace) >= maxWaiting) {
      this.#crowded.begin(namespace);
      return;
    }
    if (this.#queue.add(shapeWork(wanted), lane)) shape.holds += 1;
  }

  async #work(lanes: readonly ("now" | "later")[], signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const woken = this.#queue.woken();
      const work = this.#queue.take((one) => this.#busy.mayBegin(one), lanes);
      if (work === undefined) {
        await woken;
        continue;
      }
      this.#busy.begin(work);
      const began = this.#deps.clock.now();
      try {
        await this.#judge(work, signal);
      } catch (error) {
        if (!stopped(signal)) this.#failed(work, error, signal);
      } finally {
        this.#busy.end(work);
        this.#shapes.release(work.shape);
        if (this.#queue.waiting(work.namespace) === 0) this.#crowded.end(work.namespace);
        this.#queue.wake();
      }
      await yieldToEventLoop(signal).catch(() => undefined);
      // A look at everything takes a third of the time, and leaves the rest to reviews.
      if (lanes.includes("later"))
        await this.#deps.clock.sleep(Math.min(2 * (this.#deps.clock.now() - began), longestRest), signal);
    }
  }

  async #judge(work: ShapeWork, signal: AbortSignal): Promise<void> {
    const { shape, version } = work;
    const subject = this.#shapes.subjectOf(shape);
    const { round } = this.#pass;
    if (subject === undefined) {
      this.#pass.done(shape.id, true, round);
      return;
    }
    const deadline = this.#deps.clock.deadline(signal);
    const judged = await judgeStored(subject, version, this.#deps, deadline);
    if (!judged.complete) this.#again(work, round, signal);
    else if (version === undefined) this.#pass.done(shape.id, true, round);
    // Of an incomplete judgement what was found is so, and what was found before may still be.
    if (version === undefined && (judged.complete || judged.shortfalls.length > 0)) {
      shape.result = judged.shortfalls;
      shape.seen = judged.seen;
    }
    if (judged.shortfalls.length > 0) {
      const { onNotice } = this.#deps;
      const naming = { recent: this.#recent, workloads: this.#workloads, onNotice };
      await nameWorkloads(work, judged.shortfalls, naming, deadline);
    }
    this.#touch();
  }

  #failed(work: ShapeWork, error: unknown, signal: AbortSignal): void {
    if (!(error instanceof SourceError))
      this.#deps.onProblem(`what is stored could not be judged: ${messageOf(error)}`);
    this.#again(work, this.#pass.round, signal);
    this.#touch();
  }

  /** Tries again after a while; a version not for ever. */
  #again(work: ShapeWork, round: number, signal: AbortSignal): void {
    const { shape, version, attempts } = work;
    const isLast = attempts + 1 >= maxAttempts;
    if (version !== undefined && isLast) {
      this.#deps.onProblem(
        `the version ${version.resourceVersion} of ${describeRef(version.ref)} could not be read and is not judged`,
      );
      return;
    }
    if (isLast) this.#pass.done(shape.id, false, round);
    shape.holds += 1;
    this.#retries.after(work, signal, (next) => {
      if (next !== undefined) this.#add(next, version === undefined ? "later" : "now");
      // Its pods went meanwhile: a pass waits for them no more.
      else if (shape.pods.size === 0) this.#pass.done(shape.id, true, round);
      this.#touch();
      this.#shapes.release(shape);
    });
  }

  #touch(): void {
    this.#changed = true;
    this.#queue.wake();
  }

  async #report(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const woken = this.#queue.woken();
      const pass = this.#pass.ended();
      if (pass !== undefined)
        this.#deps.onPass({ ...pass, complete: pass.complete && this.#shapes.leftOut === 0 });
      if (this.#changed && this.#pass.isKnown) {
        this.#changed = false;
        this.#tell();
      } else await woken;
      await this.#deps.clock.sleep(reportEvery, signal);
    }
  }

  #tell(): void {
    const { policies } = this.#deps.review.policies.current();
    const shapes = [...this.#shapes.all()];
    const { all, short } = standingsOf(shapes, policies, (pod) => this.#workloads.of(pod));
    // Of pods that went, what is still to be judged may say the same once more.
    const left = shapes.flatMap(({ gone }) => [...gone.values()]);
    this.#workloads.keepOnly(new Set([...short, ...left.map((pod) => workloadKey(this.#workloads.of(pod)))]));
    this.#deps.onStanding(all, this.#seen.of(shapes));
  }

  async #repeat(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#deps.clock.sleep(passEvery, signal);
      if (!stopped(signal) && !this.#pass.isUnderWay) this.#lookAtAll();
    }
  }
}
