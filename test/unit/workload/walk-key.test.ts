import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { KubernetesObject } from "../../../src/kubernetes/object.ts";
import type { PodSubject } from "../../../src/workload/pod/pod-subject.ts";
import { walkKey } from "../../../src/workload/walk-key.ts";
import { anyPod, manifestOf } from "../../fixtures/generated-pods/pods.ts";
import { objects } from "../../fixtures/generated-pods/objects.ts";
import {
  configMap,
  container,
  mount,
  pod,
  tokenMount,
  tokenVolume,
  volume,
  type Part,
} from "../../fixtures/pods.ts";
import { runs } from "../../fixtures/property-runs.ts";
import { moreFields, oddValues, placesIn, walkOutcome, withValue } from "../../fixtures/walk-outcome.ts";
import { podOf } from "../../../src/workload/carriers/pod-of.ts";

const stored = new Map(
  objects().map((object) => [
    (object["metadata"] as { readonly name: string }).name,
    object as unknown as KubernetesObject,
  ]),
);

const token = "kube-api-access-abcde";

const ordinary = (more: Part = {}, tokenName = token): PodSubject =>
  pod({
    volumes: [tokenVolume(tokenName), volume("skill", configMap("a", [["SKILL.md", "SKILL.md"]]))],
    containers: [container("agent", [tokenMount(tokenName), mount("skill", "/skills/a")], more)],
  });

const nameOf = { name: "POD", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } };

/** The pod with one more or one other field, and then each of its places with each odd value. */
function* mutations(subject: PodSubject): Generator<PodSubject> {
  const { spec } = subject;
  for (const [field, value] of Object.entries(moreFields.pod))
    yield { ...subject, spec: { ...spec, [field]: value } };
  for (const list of ["initContainers", "containers"]) {
    for (const [index, each] of ((spec[list] ?? []) as readonly Part[]).entries())
      for (const [field, value] of Object.entries(moreFields.container))
        yield { ...subject, spec: withValue(spec, [list, index], { ...each, [field]: value }) };
  }
  for (const place of placesIn(spec).filter(({ length }) => length > 0))
    for (const value of [undefined, ...oddValues]) yield { ...subject, spec: withValue(spec, place, value) };
  for (const name of ["other", "x", ""]) yield { ...subject, name };
  yield { ...subject, namespace: "other" };
  yield { ...subject, isPod: false };
  yield { ...subject, field: "spec.template.spec" };
  yield {
    ...subject,
    imagesBefore: new Map([
      ["c0", "old"],
      ["agent", "old"],
      ["writer", "old"],
    ]),
  };
  yield { ...subject, imagesBefore: new Map() };
}

const textOf = (subject: PodSubject, roots: readonly string[] = []): string => walkKey(subject, roots).text;

describe("walkKey", () => {
  it("differs wherever one field of a generated pod changes what the walk reads, finds or fails with", () => {
    let kept = 0;
    fc.assert(
      fc.property(
        anyPod({ image: "localhost/busybox:1" }, "true"),
        fc.constantFrom("v0", token),
        fc.constantFrom("metadata.name", "metadata.uid"),
        (parts, name, field) => {
          // Some pods have their token's volume, in place of one of their own; some a path with their own name.
          const json = JSON.stringify(manifestOf("x", parts))
            .replaceAll('"v2"', JSON.stringify(name))
            .replaceAll("metadata.annotations['folder']", field);
          const subject = podOf(JSON.parse(json) as KubernetesObject, "payments")!;
          const before = walkOutcome(subject, [], stored);
          const key = textOf(subject);
          for (const mutated of mutations(subject)) {
            if (textOf(mutated) !== key) continue;
            kept += 1;
            expect(walkOutcome(mutated, [], stored)).toBe(before);
          }
        },
      ),
      runs(60),
    );
    expect(kept).toBeGreaterThan(100);
  });

  it("is the same for the pods of one template, though their names and their tokens' volumes differ", () => {
    const key = walkKey(ordinary(), []);
    expect(key.tokenVolume).toBe(token);
    const another = { ...ordinary({}, "kube-api-access-01xyz"), name: "another" };
    expect(walkKey(another, [])).toEqual({ text: key.text, tokenVolume: "kube-api-access-01xyz" });
  });

  it("has the pod's name where a variable holds it", () => {
    const named = ordinary({ env: [nameOf] });
    expect(textOf({ ...named, name: "another" })).not.toBe(textOf(named));
  });

  it.each<[string, Part]>([
    ["a ConfigMap's name", { envFrom: [{ configMapRef: { name: token } }] }],
    ["a variable's value", { env: [{ name: "CODEX_HOME", value: token }] }],
    ["the end of one", { env: [{ name: "CODEX_HOME", value: `"${token}` }] }],
    ["a working directory", { workingDir: token }],
  ])("has the name of the token's volume where it stands for something else: %s", (_what, more) => {
    const renamed = JSON.parse(
      JSON.stringify(ordinary(more)).replaceAll(token, "kube-api-access-01xyz"),
    ) as PodSubject;
    expect(walkKey(ordinary(more), []).tokenVolume).toBeUndefined();
    expect(textOf(renamed)).not.toBe(textOf(ordinary(more)));
  });

  it("differs for other roots of policies", () => {
    const [one, other] = [["/a", "/b"], ['/a","/b']].map((roots) => textOf(ordinary(), roots));
    expect(one).not.toBe(other);
  });
});
