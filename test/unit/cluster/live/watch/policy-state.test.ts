import { setImmediate as soon } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { PolicyState, type References } from "../../../../../src/cluster/live/watch/policy-state.ts";
import type { KubernetesObject } from "../../../../../src/kubernetes/object.ts";
import type { InForce, PolicyChanges } from "../../../../../src/policy/changes/resource-changes.ts";
import { rootObject } from "../../../policy/builders.ts";
import { publicKey } from "../../../policy/resource-cases.ts";

const referring = rootObject({
  sigstore: [{ name: "s", trustedRootFrom: { configMap: { name: "root", key: "trusted_root.json" } } }],
});
const plain = rootObject({ keys: [{ name: "k", pem: publicKey }] }, "plain");

/** A state that trust roots are put into, what it says, and the names of those whose status would be written. */
function stateWith(references: Partial<References>) {
  const problems: string[] = [];
  const written: string[][] = [];
  const namesOf = (objects: readonly KubernetesObject[]): string[] =>
    objects.map(({ metadata }) => (metadata as { readonly name: string }).name);
  const inForce: InForce[] = [];
  const changes: PolicyChanges[] = [];
  const state = new PolicyState({
    hooks: {
      onProblem: (message: string) => problems.push(message),
      onInForce: (all) => inForce.push(all),
      onChanges: (change) => changes.push(change),
    },
    namespaces: () => new Map([["payments", { tenant: "payments" }]]),
    status: { update: (objects) => void written.push(namesOf(objects.SkillTrustRoot)) },
    ready: () => true,
    references: { follow: () => undefined, read: () => ({}), pending: () => false, ...references },
    schemas: { behind: () => undefined },
  });
  const sink = state.sinkFor("SkillTrustRoot");
  const put = async (object: KubernetesObject): Promise<void> => {
    sink.set((object.metadata as { readonly name: string }).name, object);
    sink.settled();
    await soon();
  };
  return { state, put, problems, written, inForce, changes };
}

describe("PolicyState", () => {
  it("has the status written of what was compiled", async () => {
    const { put, problems, written } = stateWith({});
    await put(plain);
    expect(written).toEqual([["plain"]]);
    expect(problems).toEqual([]);
  });

  it("compiles anew what the API server shows otherwise under the same generation, and nothing for a status", async () => {
    const { state, put } = stateWith({});
    const stored = (spec: object, more: object = {}): KubernetesObject => ({
      ...plain,
      metadata: { name: "plain", uid: "u", generation: 1, ...more },
      spec,
    });
    const whole = {
      keys: [
        { name: "k", pem: publicKey },
        { name: "l", pem: publicKey },
      ],
    };
    await put(stored(whole));
    const first = state.compiled;
    await put({ ...stored(structuredClone(whole)), status: { keys: 2 } });
    expect(state.compiled).toBe(first);
    await put(stored({ keys: whole.keys.slice(1) }));
    expect(state.compiled?.problems).toEqual([]);
    expect(state.compiled).not.toBe(first);
    const apiVersion = "skill-admission.dev/v1alpha1";
    const managedFields = [{ apiVersion, fieldsV1: { "f:spec": { "f:later": {} } } }];
    await put(stored({ keys: whole.keys.slice(1) }, { managedFields }));
    expect(state.compiled?.problems).toMatchObject([{ name: "plain", reason: "FieldsLost" }]);
  });

  it("says nothing about objects that could not be compiled, and keeps what was before", async () => {
    const read = (): never => {
      throw new TypeError("unforeseen");
    };
    const { state, put, problems, written } = stateWith({ read });
    await put(plain);
    const before = state.compiled;
    await put(referring);
    expect(problems).toEqual([expect.stringContaining("those before stay in force: unforeseen")]);
    expect(written).toEqual([["plain"]]);
    expect(state.compiled).toBe(before);
  });

  it("tells once what is in force at the start, and then what changes of it, the trust too", async () => {
    const { state, put, inForce, changes } = stateWith({});
    await put(plain);
    expect(inForce).toMatchObject([{ objects: { SkillTrustRoot: [plain] }, policies: [] }]);
    expect(changes).toEqual([]);
    await put({ ...plain, metadata: { ...(plain.metadata as object), labels: { a: "b" } } });
    expect(changes).toEqual([]);
    const before = state.compiled?.trust.version;
    const sink = state.sinkFor("SkillTrustRoot");
    sink.delete("plain");
    sink.settled();
    await soon();
    expect(inForce).toHaveLength(1);
    expect(changes).toMatchObject([
      {
        resources: [{ kind: "SkillTrustRoot", name: "plain", change: "deleted" }],
        trust: { before, after: state.compiled?.trust.version },
      },
    ]);
  });

  it("waits with what refers to something that will be there in a moment", async () => {
    let pending = true;
    const { state, put, written } = stateWith({ pending: () => pending });
    await put(plain);
    expect(state.compiled).toBeUndefined();
    expect(written).toEqual([]);
    pending = false;
    state.surroundingsChanged();
    await soon();
    expect(written).toEqual([["plain"]]);
  });
});
