import type { Registry } from "prom-client";
import type { Decision } from "../admission/decision.ts";
import { prefix } from "./instruments.ts";
import { boundedNames, type Attempt } from "./labels.ts";
import { talliedCounter } from "./tallied-counter.ts";

/** Milliseconds for which a refusal is remembered: a controller waits a quarter of an hour at most before it tries again. */
const rememberedFor = 60 * 60 * 1000;
const maxRemembered = 10_000;

/**
 * Tells the first attempt from those that follow: a controller tries for ever what was refused once, and all its
 * attempts have one identifier.
 */
export class RecentRefusals {
  /** When each was refused last, the oldest first. */
  readonly #seen = new Map<string, number>();
  readonly #now: () => number;

  /** @param now milliseconds of any clock that only goes forward */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  attemptOf({ outcome, id, subject }: Decision): Attempt {
    if (subject.dryRun) return "dry_run";
    if (outcome !== "deny") return "first";
    const [now, before] = [this.#now(), this.#seen.get(id)];
    this.#seen.delete(id);
    this.#seen.set(id, now);
    if (this.#seen.size > maxRemembered) this.#seen.delete(this.#seen.keys().next().value ?? "");
    return before !== undefined && now - before < rememberedFor ? "repeated" : "first";
  }
}

/** The counter of denials by namespace, of installations that ask for it. */
export const namespaceInstrument = (registry: Registry) =>
  talliedCounter<"object_namespace" | "attempt">(
    {
      name: `${prefix}namespace_denials_total`,
      help: "Denied reviews by the object's namespace; only with --metrics-namespaces",
      labelNames: ["object_namespace", "attempt"],
      registers: [registry],
    },
    ({ object_namespace: namespace, attempt }) => `${attempt} ${namespace}`,
  );

/** Counts denials by namespace. @param limit different namespaces that become labels; 0: the metric does not exist */
export function namespaceDenials(
  registry: Registry,
  limit: number,
): (decision: Decision, attempt: Attempt) => void {
  if (limit === 0) return () => undefined;
  const denials = namespaceInstrument(registry);
  const bounded = boundedNames(limit);
  return ({ outcome, subject }, attempt) => {
    if (outcome === "deny") denials.inc({ object_namespace: bounded(subject.namespace), attempt });
  };
}
