import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { skillsOf, type ReviewContext } from "../../../src/evaluation/evaluate.ts";
import { RememberedWalks } from "../../../src/evaluation/remembered-walks.ts";
import { decodeVolumeObject } from "../../../src/kubernetes/volume-object.ts";
import type { KubernetesObject } from "../../../src/kubernetes/object.ts";
import type { SkillReference } from "../../../src/skill/reference.ts";
import { SourceError } from "../../../src/skill/source-error.ts";
import type { SkillSource, VolumeObject } from "../../../src/skill/source.ts";
import { podOf } from "../../../src/workload/carriers/pod-of.ts";
import type { PodSubject } from "../../../src/workload/pod/pod-subject.ts";
import { compileObjects } from "../../fixtures/compile.ts";
import { binaryData, configMaps } from "../../fixtures/generated-pods/objects.ts";
import { anyPod, manifestOf } from "../../fixtures/generated-pods/pods.ts";
import { configMap, container, mount, pod, tokenMount, tokenVolume, volume } from "../../fixtures/pods.ts";
import { runs } from "../../fixtures/property-runs.ts";
import {
  faultText,
  moreFields,
  oddValues,
  placesIn,
  referencesText,
  withValue,
} from "../../fixtures/walk-outcome.ts";
import { policyObject } from "../admission/world.ts";

const namespace = "payments";
const policies = [[], ["/srv"]].map(
  (skillRoots) => compileObjects([policyObject({ skillRoots })], []).policies,
);

/** ConfigMaps that change; each version is decoded once, as a source that remembers it does. */
class Store implements SkillSource {
  readonly #objects = new Map<string, KubernetesObject>();
  readonly #decoded = new Map<string, VolumeObject>();
  #version = 0;
  failing: string | undefined;
  reads = 0;

  constructor() {
    for (const name of Object.keys(configMaps)) this.write(name, "");
  }

  /** Writes a ConfigMap, with something at the end of each of its texts. */
  write(name: string, end: string): void {
    this.#version += 1;
    const data = Object.entries(configMaps[name] ?? {}).map(([key, text]) => [key, text + end]);
    const metadata = { name, namespace, uid: `uid-${name}`, resourceVersion: String(this.#version) };
    const object = {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata,
      data: Object.fromEntries(data) as unknown,
    };
    this.#objects.set(name, { ...object, binaryData: binaryData[name] });
    this.#decoded.delete(name);
  }

  delete(name: string): void {
    this.#objects.delete(name);
    this.#decoded.delete(name);
  }

  read({ name }: Parameters<SkillSource["read"]>[0]): Promise<VolumeObject | undefined> {
    this.reads += 1;
    if (this.failing === name)
      return Promise.reject(new SourceError("SOURCE_UNAVAILABLE", `${name} is unread`));
    const object = this.#objects.get(name);
    if (object === undefined) return Promise.resolve(undefined);
    const known =
      this.#decoded.get(name) ?? decodeVolumeObject(object, { kind: "ConfigMap", namespace, name });
    this.#decoded.set(name, known);
    return Promise.resolve(known);
  }
}

const contextOf = (source: SkillSource, walks?: RememberedWalks): ReviewContext => ({
  deps: { source, ...(walks && { walks }) } as ReviewContext["deps"],
  now: 0,
  signal: AbortSignal.timeout(60_000),
});

type Found = readonly SkillReference[] | string;

const find = (subject: PodSubject, which: number, context: ReviewContext): Promise<Found> =>
  skillsOf(subject, policies[which]!, context).catch(faultText);

const textOf = (found: Found): string => (typeof found === "string" ? found : referencesText(found));

const rarely = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(null) }, { weight: 1, arbitrary });

/** A step of a history: a pod comes, as it was drawn or as it is changed now; and something happens to an object. */
const step = fc.record({
  pod: fc.nat(1),
  token: fc.constantFrom("kube-api-access-aaaaa", "kube-api-access-bbbbb", "v1"),
  name: fc.constantFrom("p", "q"),
  change: fc.option(fc.record({ at: fc.nat(), value: fc.constantFrom(undefined, ...oddValues) }), {
    freq: 3,
  }),
  more: rarely(fc.constantFrom(...Object.entries(moreFields.pod))),
  images: rarely(fc.constant(true)),
  policies: fc.constantFrom(0, 0, 1),
  object: rarely(
    fc.record({
      name: fc.constantFrom("a", "b", "declared", "parts", "plain", "gone"),
      what: fc.constantFrom("write", "same", "delete", "fail"),
    }),
  ),
});

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function happen(store: Store, event: Step["object"]): void {
  store.failing = undefined;
  if (event === null) return;
  if (event.what === "fail") store.failing = event.name;
  else if (event.what === "delete") store.delete(event.name);
  else store.write(event.name, event.what === "same" ? "" : ` ${event.what}`);
}

function podAt({ change, more, token, name, images }: Step, manifest: KubernetesObject): PodSubject {
  const json = JSON.stringify(manifest).replaceAll('"v1"', JSON.stringify(token));
  const subject = podOf(JSON.parse(json) as KubernetesObject, namespace)!;
  const grown = more === null ? subject.spec : { ...subject.spec, [more[0]]: more[1] };
  const places = placesIn(grown).slice(1);
  const place = places[(change?.at ?? 0) % places.length]!;
  return {
    ...subject,
    name,
    spec: change === null ? grown : withValue(grown, place, change.value),
    ...(images !== null && { imagesBefore: new Map([["c0", "old"]]) }),
  };
}

describe("RememberedWalks", () => {
  it("finds in each pod of any history what a walk finds that remembers nothing", async () => {
    let remembered = 0;
    const pods = fc.array(anyPod({ image: "localhost/busybox:1" }, "true"), { minLength: 2, maxLength: 2 });
    await fc.assert(
      fc.asyncProperty(pods, fc.array(step, { minLength: 24, maxLength: 24 }), async (drawn, steps) => {
        const store = new Store();
        const walks = new RememberedWalks();
        const before = new Set<Found>();
        for (const each of steps) {
          happen(store, each.object);
          const subject = podAt(each, manifestOf("p", drawn[each.pod]!));
          const found = await find(subject, each.policies, contextOf(store, walks));
          expect(textOf(found)).toBe(textOf(await find(subject, each.policies, contextOf(store))));
          if (typeof found !== "string" && found.length > 0 && before.has(found)) remembered += 1;
          before.add(found);
        }
      }),
      runs(400),
    );
    expect(remembered).toBeGreaterThan(50);
  });

  const skillPod = (tokenName: string, token = "/var/run/secrets/kubernetes.io/serviceaccount"): PodSubject =>
    pod({
      volumes: [tokenVolume(tokenName), volume("skill", configMap("a", [["SKILL.md", "SKILL.md"]]))],
      containers: [
        container("agent", [{ ...tokenMount(tokenName), mountPath: token }, mount("skill", "/skills/a")]),
      ],
    });

  it("remembers a template's skills for all its pods, and reads their objects each time", async () => {
    const store = new Store();
    const context = contextOf(store, new RememberedWalks());
    const first = await find(skillPod("kube-api-access-aaaaa"), 0, context);
    const reads = store.reads;
    expect(await find(skillPod("kube-api-access-bbbbb"), 0, context)).toBe(first);
    expect(store.reads).toBe(2 * reads);
    store.write("a", " changed");
    const after = await find(skillPod("kube-api-access-bbbbb"), 0, context);
    expect(textOf(after)).not.toBe(textOf(first));
  });

  it("remembers nothing where the outcome names the token's volume", async () => {
    const context = contextOf(new Store(), new RememberedWalks());
    const found = await find(skillPod("kube-api-access-aaaaa", "/skills/t"), 0, context);
    expect(textOf(found)).toContain("kube-api-access-aaaaa");
    const other = await find(skillPod("kube-api-access-bbbbb", "/skills/t"), 0, context);
    expect(textOf(other)).toContain("kube-api-access-bbbbb");
  });

  it("remembers nothing where an object could not be read", async () => {
    const store = new Store();
    const context = contextOf(store, new RememberedWalks());
    store.failing = "a";
    expect(textOf(await find(skillPod("kube-api-access-aaaaa"), 0, context))).toContain("SOURCE_UNAVAILABLE");
    store.failing = undefined;
    expect(textOf(await find(skillPod("kube-api-access-aaaaa"), 0, context))).toContain('"resolved"');
  });

  it("forgets the templates that were used longest ago, by their size", async () => {
    const context = contextOf(new Store(), new RememberedWalks(12_000));
    const named = (image: string): PodSubject => {
      const subject = skillPod("kube-api-access-aaaaa");
      return { ...subject, spec: withValue(subject.spec, ["containers", 0, "image"], image) };
    };
    const first = await find(named("0"), 0, context);
    expect(await find(named("0"), 0, context)).toBe(first);
    for (const image of ["1", "2", "3", "4"]) await find(named(image), 0, context);
    expect(await find(named("0"), 0, context)).not.toBe(first);
  });
});
