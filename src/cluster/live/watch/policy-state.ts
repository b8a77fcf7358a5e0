import { isDeepStrictEqual } from "node:util";
import { compileSnapshot } from "../../../policy/compile/snapshot.ts";
import type { Namespaces } from "../../../policy/changes/namespace-change.ts";
import type { InForce } from "../../../policy/changes/resource-changes.ts";
import { forEachKind, type OwnKind, type PolicyObjects } from "../../../policy/resource/kinds.ts";
import { lostFields } from "../../../policy/resource/lost-fields.ts";
import type { NamedReference, TrustReferenceResolver } from "../../../policy/trust/reference.ts";
import type { LabelSelector } from "../../../kubernetes/label-selector.ts";
import { generationOf, uidOf, type KubernetesObject } from "../../../kubernetes/object.ts";
import type { ClusterHooks } from "../../cluster.ts";
import { tellChanges } from "../../tell-changes.ts";
import { messageOf } from "../api/client.ts";
import type { ObjectSink } from "./reflector.ts";
import type { ServedSchemas } from "./served-schemas.ts";
import type { StatusWriter } from "../status/writer.ts";

type Compiled = ReturnType<typeof compileSnapshot>;

export interface PolicyStateDeps {
  readonly hooks: ClusterHooks;
  readonly status?: Pick<StatusWriter, "update"> | undefined;
  /** True after all kinds are listed: policies compiled from less would be wrong. */
  readonly ready: () => boolean;
  /** Resolves references of trust roots. */
  readonly references: References;
  /** No policy applies to other namespaces; absent: policies alone say where. */
  readonly within?: LabelSelector | undefined;
  /** Namespaces as they are known now, for records of changes. */
  readonly namespaces: () => Namespaces;
  readonly schemas: Pick<ServedSchemas, "behind">;
}

/** References of trust roots, kept up to date. */
export interface References {
  /** Replaces the followed references. Returns at once. */
  readonly follow: (references: readonly NamedReference[]) => void;
  readonly read: TrustReferenceResolver;
  /** True while an answer is about to come: compiling without it would deny in between. */
  readonly pending: () => boolean;
}

/**
 * Compares what is compiled. Not the generation alone: it stays where the API server shows more or less of what is stored,
 * by another CustomResourceDefinition.
 */
function sameSpec(before: KubernetesObject | undefined, after: KubernetesObject): boolean {
  const generation = generationOf(after);
  return (
    before !== undefined &&
    generation !== undefined &&
    generationOf(before) === generation &&
    uidOf(before) === uidOf(after) &&
    isDeepStrictEqual(before["spec"], after["spec"]) &&
    isDeepStrictEqual(lostFields(before), lostFields(after))
  );
}

/** Compiles policies, trust roots and revocation lists together after changes. */
export class PolicyState {
  readonly #objects = forEachKind(() => new Map<string, KubernetesObject>());
  #compiled: Compiled | undefined;
  #inForce: InForce | undefined;
  #due = false;
  /** A spec changed since the last compilation; status writes do not count. */
  #stale = true;
  readonly #deps: PolicyStateDeps;

  constructor(deps: PolicyStateDeps) {
    this.#deps = deps;
  }

  get compiled(): Compiled | undefined {
    return this.#compiled;
  }

  /** Sink for the watch of a kind. */
  sinkFor(kind: OwnKind): ObjectSink {
    const map = this.#objects[kind];
    return {
      set: (key, object) => {
        if (!sameSpec(map.get(key), object)) this.#stale = true;
        map.set(key, object);
      },
      delete: (key) => {
        if (map.delete(key)) this.#stale = true;
      },
      keys: () => map.keys(),
      settled: () => this.#changed(),
    };
  }

  /** Runs after something outside the objects has changed: the result of a reference, or a served schema. */
  surroundingsChanged(): void {
    this.#stale = true;
    this.#changed();
  }

  /** Schedules one compilation for all changes of this moment, once all lists are complete. */
  #changed(): void {
    if (this.#due) return;
    this.#due = true;
    setImmediate(() => {
      this.#due = false;
      if (!this.#deps.ready()) return;
      if (this.#stale) this.#compile();
      // Not compiled: the previous compilation does not know these objects.
      if (this.#stale || this.#compiled === undefined) return;
      // Runs for changed statuses too: another client could have changed them.
      this.#deps.status?.update(this.#present(), this.#compiled);
    });
  }

  #present(): PolicyObjects {
    return forEachKind((kind) => [...this.#objects[kind].values()]);
  }

  #compile(): void {
    const { hooks, references, schemas, within } = this.#deps;
    try {
      const previous = this.#compiled?.trust;
      const objects = this.#present();
      const compiled = compileSnapshot(objects, {
        previous,
        resolve: references.read,
        behind: schemas.behind,
        within,
      });
      references.follow(compiled.references);
      if (references.pending()) return;
      const known = new Set(this.#compiled?.problems.map((problem) => JSON.stringify(problem)));
      this.#compiled = compiled;
      this.#stale = false;
      for (const problem of compiled.problems) {
        if (!known.has(JSON.stringify(problem)))
          hooks.onProblem(`${problem.kind} ${problem.name}: ${problem.message}`);
      }
      hooks.onPolicies?.(compiled);
      const inForce = { objects, policies: compiled.policies, trust: compiled.trust.version };
      tellChanges(this.#inForce, inForce, this.#deps.namespaces(), hooks);
      this.#inForce = inForce;
    } catch (error) {
      hooks.onProblem(`the policies could not be compiled, those before stay in force: ${messageOf(error)}`);
    }
  }
}
