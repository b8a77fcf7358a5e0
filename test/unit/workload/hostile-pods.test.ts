import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { SourceError } from "../../../src/skill/source-error.ts";
import { findSkills } from "../../../src/workload/find-skills.ts";
import { objectNames } from "../../../src/workload/pod/mounted-objects.ts";
import { objectsToRead } from "../../../src/workload/objects-to-read.ts";
import { podOf } from "../../../src/workload/carriers/pod-of.ts";
import { sameSkillInputs } from "../../../src/workload/carriers/unchanged.ts";
import { readPodSpec } from "../../../src/workload/pod/pod-spec.ts";
import {
  configMap,
  container,
  found,
  mount,
  objects,
  pod,
  podWith,
  projected,
  volume,
} from "../../fixtures/pods.ts";
import { runs } from "../../fixtures/property-runs.ts";

const fields = [
  "name",
  "volumes",
  "containers",
  "initContainers",
  "ephemeralContainers",
  "configMap",
  "secret",
  "projected",
  "sources",
  "items",
  "key",
  "path",
  "optional",
  "volumeMounts",
  "mountPath",
  "subPath",
  "subPathExpr",
  "readOnly",
  "env",
  "value",
  "valueFrom",
  "fieldRef",
  "fieldPath",
  "downwardAPI",
  "emptyDir",
  "image",
  "workingDir",
  "terminationMessagePath",
  "volumeDevices",
  "devicePath",
  "__proto__",
  "constructor",
] as const;

const leaf = fc.oneof(
  fc.constantFrom(
    "v",
    "cm",
    "/skills/x",
    "SKILL.md",
    "..data",
    "../x",
    "$(A)",
    "metadata.name",
    "",
    "\0",
    "\ud800",
    "/",
  ),
  fc.string(),
  fc.boolean(),
  fc.integer(),
  fc.constant(null),
);

/** Anything made of the fields that the walker looks at, in any shape. */
const { anything } = fc.letrec<{ anything: unknown }>((tie) => ({
  anything: fc.oneof(
    { maxDepth: 6, depthSize: "large" },
    leaf,
    fc.array(tie("anything"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...fields), tie("anything"), { maxKeys: 6 }),
  ),
}));

/** A sound pod in which one value, anywhere, is exchanged for anything. */
const sound = (): Record<string, unknown> =>
  structuredClone(
    podWith(
      [
        volume("v", configMap("cm", [["k", "SKILL.md"]])),
        volume(
          "p",
          projected(configMap("cm"), { secret: { name: "s" } }, { serviceAccountToken: { path: "t" } }),
        ),
        volume("d", { downwardAPI: { items: [{ path: "f" }] } }),
        volume("e", { emptyDir: {} }),
      ],
      [
        mount("v", "/skills/x"),
        mount("p", "/skills/y", { subPathExpr: "$(A)" }),
        mount("d", "/skills/x/d", { subPath: "f" }),
        mount("e", "/home/agent", { readOnly: true }),
      ],
      {
        env: [{ name: "A", value: "k" }],
        terminationMessagePath: "/t",
        volumeDevices: [{ devicePath: "/d" }],
      },
    ).spec,
  );

function places(value: unknown, at: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => [[...at, key], ...places(item, [...at, key])]);
}

function withValue(place: readonly (string | number)[], value: unknown): Record<string, unknown> {
  const spec = sound();
  let holder = spec as Record<string | number, unknown>;
  for (const key of place.slice(0, -1)) holder = holder[key] as Record<string | number, unknown>;
  holder[place.at(-1)!] = value;
  return spec;
}

const read = objects({ cm: { k: "S" }, v: { k: "S" } });

/** Runs all of the walker; a SourceError is a sound answer, anything else is not. */
function survives(spec: unknown): boolean {
  try {
    const subject = podOf({ apiVersion: "v1", kind: "Pod", metadata: { name: "p" }, spec }, "payments");
    if (subject === undefined) return false;
    objectNames(subject);
    sameSkillInputs({ apiVersion: "v1", kind: "Pod", spec }, { apiVersion: "v1", kind: "Pod", spec: {} });
    const refs = objectsToRead(readPodSpec(subject), []);
    return (
      findSkills(readPodSpec(subject), [], read).every(({ sources }) => sources.length > 0) &&
      refs.length >= 0
    );
  } catch (error) {
    return error instanceof SourceError && error.message !== "" && error.code !== "TIMEOUT";
  }
}

describe("findSkills on hostile pods", () => {
  it("answers or says which field is malformed, whatever the types", () => {
    fc.assert(
      fc.property(anything, (spec) => survives(spec)),
      runs(2000),
    );
  });

  it("answers or says which field is malformed, whatever one value of a sound pod becomes", () => {
    const everywhere = places(sound());
    fc.assert(
      fc.property(fc.constantFrom(...everywhere), anything, (place, value) =>
        survives(withValue(place, value)),
      ),
      runs(2000),
    );
  });

  it("names the field", () => {
    const volumes = [volume("v", configMap("cm"))];
    const cases: readonly [string, Parameters<typeof pod>[0]["more"]][] = [
      ["spec.volumes is not a list", { volumes: "x" }],
      ["spec.volumes[0] is not an object", { volumes: ["x"] }],
      ["spec.volumes[0].name is missing", { volumes: [{}] }],
      ["spec.volumes[0].configMap is not an object", { volumes: [{ name: "v", configMap: "cm" }] }],
      ["spec.volumes[0].configMap.name is missing", { volumes: [{ name: "v", configMap: {} }] }],
      [
        "spec.volumes[0].configMap.items is not a list",
        { volumes: [volume("v", configMap("c", undefined, { items: {} }))] },
      ],
      [
        'spec.volumes[0].configMap.items[0].path begins with ".."',
        { volumes: [volume("v", configMap("c", [["k", "../x"]]))] },
      ],
      [
        "spec.volumes[0].configMap.items[0].path is absolute",
        { volumes: [volume("v", configMap("c", [["k", "/x"]]))] },
      ],
      [
        'spec.volumes[0].configMap.items[0].path has the component ".."',
        { volumes: [volume("v", configMap("c", [["k", "a/../x"]]))] },
      ],
      [
        "spec.volumes[0] has more than one type",
        { volumes: [{ name: "v", emptyDir: {}, configMap: { name: "c" } }] },
      ],
      ["spec.volumes[1].name is the name of another volume too", { volumes: [...volumes, ...volumes] }],
      [
        "spec.volumes[0].projected.sources[0].configMap.name is not text",
        { volumes: [volume("v", projected({ configMap: { name: 1 } }))] },
      ],
      ["spec.containers[0].name is missing", { containers: [{}] }],
      [
        'spec.containers[0].volumeMounts[0].name names the volume "w", which the pod does not have',
        { containers: [container("a", [mount("w", "/x")])] },
      ],
      [
        "spec.containers[0].volumeMounts[0].mountPath is missing",
        { containers: [container("a", [{ name: "v" }])] },
      ],
      [
        "spec.containers[0].volumeMounts[0].mountPath holds characters that no path has",
        { containers: [container("a", [mount("v", "/x\0")])] },
      ],
      [
        "spec.containers[0].volumeMounts[0].readOnly is not true or false",
        { containers: [container("a", [mount("v", "/x", { readOnly: "yes" })])] },
      ],
      [
        "spec.containers[0].volumeMounts[0].subPathExpr stands beside subPath",
        { containers: [container("a", [mount("v", "/x", { subPath: "a", subPathExpr: "b" })])] },
      ],
      ["spec.containers[0].env[0].name is missing", { containers: [container("a", [], { env: [{}] })] }],
    ];
    for (const [message, more] of cases) {
      const subject = pod({ volumes, more: more! });
      expect(() => findSkills(readPodSpec(subject), [], read), message).toThrow(message);
      expect(() => findSkills(readPodSpec(subject), [], read)).toThrow(SourceError);
    }
  });

  it("bounds volumes, mounts, containers, depth and what is placed", () => {
    const many = (count: number): readonly undefined[] => Array.from({ length: count });
    const volumes = [volume("v", configMap("cm"))];
    const limits: readonly [string, Parameters<typeof pod>[0]["more"]][] = [
      ["spec.volumes has 501 entries", { volumes: many(501).map((_, i) => volume(`v${i}`, {})) }],
      ["spec.containers has 201 entries", { containers: many(201).map((_, i) => container(`c${i}`, [])) }],
      [
        "volumeMounts has 501 entries",
        {
          containers: [
            container(
              "a",
              many(501).map((_, i) => mount("v", `/m${i}`)),
            ),
          ],
        },
      ],
      [
        "mountPath has more than 64 components",
        { containers: [container("a", [mount("v", "/a".repeat(65))])] },
      ],
      [
        "mountPath has more than 64 components",
        { containers: [container("a", [mount("v", "\\a".repeat(65))])] },
      ],
      [
        "mountPath is longer than 4096",
        { containers: [container("a", [mount("v", `/${"a".repeat(4096)}`)])] },
      ],
    ];
    for (const [message, more] of limits)
      expect(() => findSkills(readPodSpec(pod({ volumes, more: more! })), [], read)).toThrow(message);
    const keys = Object.fromEntries(many(1000).map((_, i) => [`k${i}`, ""]));
    const mounts = many(201).map((_, i) => mount("v", `/skills/s${i}`));
    expect(() => found(podWith(volumes, mounts), { cm: keys })).toThrow("more than 50000 files");
  });

  it("bounds what a mount in doubt may show: each folder of its volume", () => {
    const deep = Array.from({ length: 1000 }, (_, i) => ["k", `${"a/".repeat(30)}${i}`] as const);
    const volumes = [volume("v", configMap("cm", deep))];
    const doubtful = (path: string) => mount("v", path, { subPathExpr: "$(UNKNOWN)" });
    const mounts = Array.from({ length: 500 }, (_, i) => doubtful(`/skills/s${i}`));
    expect(() => found(podWith(volumes, mounts), { cm: { k: "" } })).toThrow("more than 50000 files");
    expect(found(podWith(volumes, mounts.slice(0, 1)), { cm: { k: "" } })).toEqual([
      expect.stringContaining("/skills/s0: "),
      "/skills/s0: unverifiable ConfigMap",
    ]);
  });

  it("takes time in proportion, also where everything is in doubt or covered", () => {
    const keys = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`k${i}.md`, ""]));
    const volumes = [volume("v", configMap("cm"))];
    const twice = Array.from({ length: 120 }, (_, i) => [
      mount("v", `/skills/s${i}`),
      mount("v", `/skills/s${i}/`),
    ]);
    const under = Array.from({ length: 50 }, (_, i) => mount("v", `/skills${"/a".repeat(i)}`));
    const files = Array.from({ length: 100 }, (_, i) => mount("v", `/skills/k${i}.md`));
    for (const mounts of [twice.flat(), [...under, ...files]])
      expect(found(podWith(volumes, mounts), { cm: keys }).length).toBeGreaterThan(100);
  });

  it("takes time in proportion, also where everything lies inside everything", () => {
    const volumes = [volume("v", configMap("cm"))];
    const nested = Array.from({ length: 60 }, (_, i) => mount("v", `/skills${"/a".repeat(i)}`));
    const containers = Array.from({ length: 100 }, (_, i) => container(`c${i}`, nested));
    expect(found(pod({ volumes, containers }), { cm: { k: "", "SKILL.md": "" } })).toHaveLength(1);
  });
});

describe("volumes that name one object again and again", () => {
  const keys = Object.fromEntries(Array.from({ length: 9_900 }, (_, at) => [`k${at}`, ""]));
  const whole = volume("w", configMap("keys"));
  /** Each shows one file at most, which is not there: nothing is seen, and all would be laid out. */
  const subject = (count: number, sources: number) => {
    const names = Array.from({ length: count }, (_, at) => `v${at}`);
    const type = projected(...Array.from({ length: sources }, () => configMap("keys")));
    return podWith(
      [whole, ...names.map((name) => volume(name, type))],
      [mount("w", "/q"), ...names.map((name) => mount(name, `/m/${name}`, { subPath: "zz" }))],
    );
  };

  it.each([
    ["498 volumes", 498, 1],
    ["2,000 sources", 5, 400],
    ["one more than they may", 5, 1],
  ])("are refused before they are laid out: %s", (_, count, sources) => {
    const all = objects({ keys });
    expect(() => findSkills(readPodSpec(subject(count, sources)), [], all)).toThrow(
      /volumes hold more than 50000 files together; mount fewer/,
    );
  });

  it("pass up to the limit", () => {
    expect(findSkills(readPodSpec(subject(4, 1)), [], objects({ keys }))).toEqual([]);
  });
});
