import { describe, expect, it } from "vitest";
import { SkillFile } from "../../../src/skill/skill.ts";
import { findSkills } from "../../../src/workload/find-skills.ts";
import { objectsToRead } from "../../../src/workload/objects-to-read.ts";
import { podLimits } from "../../../src/workload/pod/limits.ts";
import { readPodSpec } from "../../../src/workload/pod/pod-spec.ts";
import type { PodSubject } from "../../../src/workload/pod/pod-subject.ts";
import {
  configMap,
  container,
  emptyDir,
  mount,
  namespace,
  objects,
  pod,
  volume,
  volumeObject,
  type Part,
} from "../../fixtures/pods.ts";

const times = <T>(count: number, make: (at: number) => T): readonly T[] =>
  Array.from({ length: count }, (_, at) => make(at));
const skill = volume("s", configMap("cm"));
const one = (mounts: readonly Part[], more: Part = {}): PodSubject =>
  pod({ volumes: [skill], containers: [container("a", mounts, more)] });
const keys = (count: number): Readonly<Record<string, string>> =>
  Object.fromEntries(times(count, (at) => [`k${at}`, ""]));

/** Reads the pod, and the files that its containers see of one ConfigMap. */
const see = (subject: PodSubject, files: Readonly<Record<string, string>> = {}): unknown =>
  findSkills(readPodSpec(subject), [], objects({ cm: files }));

/** Paths of which each has so many characters, the ConfigMap's key `k` included. */
const mountsOf = (count: number, length: number): readonly Part[] =>
  times(count, (at) => {
    const name = String(at).padStart(4, "0");
    const folders = `/${"d".repeat(100)}`.repeat(Math.ceil(length / 101)).slice(0, length - 7);
    return mount("s", `${folders.replace(/\/$/, "d")}/${name}`);
  });

/** A pod, or what its containers see, by the size of what a budget bounds. */
type Case = readonly [budget: string, limit: number, use: (size: number) => unknown, refusal: RegExp];

const cases: readonly Case[] = [
  [
    "containers",
    podLimits.containers,
    (size) => see(pod({ containers: times(size, (at) => container(`c${at}`, [])) })),
    /spec\.containers .*200/,
  ],
  [
    "volumes",
    podLimits.volumes,
    (size) => see(pod({ volumes: times(size, (at) => volume(`v${at}`, emptyDir)) })),
    /spec\.volumes .*500/,
  ],
  [
    "mounts of a container",
    podLimits.mounts,
    (size) => see(one(times(size, (at) => mount("s", `/m/${at}`)))),
    /volumeMounts .*500/,
  ],
  [
    "devices of a container",
    podLimits.mounts,
    (size) => see(one([], { volumeDevices: times(size, (at) => ({ name: "d", devicePath: `/dev/${at}` })) })),
    /volumeDevices .*500/,
  ],
  [
    "items of a volume",
    podLimits.items,
    (size) => {
      const items = times(size, (at) => [`k${at}`, `k${at}`] as const);
      return see(pod({ volumes: [volume("s", configMap("cm", items))] }));
    },
    /items .*20000/,
  ],
  [
    "variables of a container",
    podLimits.items,
    (size) => see(one([], { env: times(size, (at) => ({ name: `V${at}`, value: "" })) })),
    /env .*20000/,
  ],
  [
    "objects that could hold skills",
    podLimits.objects,
    (size) => {
      const volumes = times(size, (at) => volume(`v${at}`, configMap(`c${at}`)));
      const mounts = times(size, (at) => mount(`v${at}`, `/skills/${at}`));
      return objectsToRead(readPodSpec(pod({ volumes, containers: [container("a", mounts)] })), []);
    },
    /201 objects that could hold skills, more than 200/,
  ],
  [
    "files of all containers",
    podLimits.seenFiles,
    (size) => {
      const whole = times(Math.floor(size / 10_000), (at) => mount("s", `/m/${at}`));
      const single = times(size % 10_000, (at) => mount("s", `/f/${at}`, { subPath: "k0" }));
      return see(one([...whole, ...single]), keys(10_000));
    },
    /more than 50000 files of volumes together/,
  ],
  [
    "characters of their paths",
    podLimits.seenPathCharacters,
    (size) => {
      const long = Math.floor(size / 4000);
      const rest = size - long * 4000;
      const mounts = mountsOf(long, 4000);
      const perContainer = times(Math.ceil(mounts.length / 400), (at) =>
        container(`c${at}`, mounts.slice(at * 400, at * 400 + 400)),
      );
      const last = rest === 0 ? [] : [container("rest", [mount("s", "/", { subPath: "" })])];
      return see(pod({ volumes: [skill], containers: [...perContainer, ...last] }), { k: "" });
    },
    /more than 4000000 characters together/,
  ],
  [
    "skills",
    podLimits.skills,
    (size) => {
      const containers = times(2, (of) =>
        container(
          `c${of}`,
          times(of === 0 ? size - 100 : 100, (at) => mount("s", `/skills/${of}-${at}`)),
        ),
      );
      return see(pod({ volumes: [skill], containers }), { "SKILL.md": "S" });
    },
    /501 skills of 1 MiB together, more than 500/,
  ],
  [
    "mebibytes of skills",
    podLimits.mountedBytes / 1024 ** 2,
    (size) => {
      const ref = { kind: "ConfigMap", namespace, name: "cm" } as const;
      const file = new SkillFile(Buffer.alloc(1024 ** 2));
      const object = { ...volumeObject(ref, {}), files: new Map([["SKILL.md", file]]) };
      const mounts = times(size, (at) => mount("s", `/skills/${at}`));
      return findSkills(readPodSpec(one(mounts)), [], new Map([["ConfigMap/cm", object]]));
    },
    /65 skills of 65 MiB together, more than 500 skills of 64 MiB/,
  ],
  [
    "characters of a path",
    podLimits.pathLength,
    (size) => see(one([mount("s", `/${"d".repeat(200)}`.repeat(21).slice(0, size))])),
    /mountPath .*4096/,
  ],
  [
    "components of a path",
    podLimits.pathDepth,
    // The empty one before the first slash counts.
    (size) => see(one([mount("s", "/d".repeat(size - 1))])),
    /mountPath has more than 64 components/,
  ],
];

describe("the budget of a pod", () => {
  it.each(cases)("has room for %s up to %d, and for no more", (_, limit, use, refusal) => {
    expect(() => use(limit)).not.toThrow();
    expect(() => use(limit + 1)).toThrow(refusal);
  });

  it("reads a volume whole of which more names are mounted by subPath than are told apart", () => {
    const asked = (count: number): unknown => {
      const mounts = times(count, (at) => mount("s", `/skills/x/${at}`, { subPath: `k${at}` }));
      return objectsToRead(readPodSpec(one(mounts)), [])[0]?.keys?.size;
    };
    expect(asked(podLimits.subPaths)).toBe(podLimits.subPaths);
    expect(asked(podLimits.subPaths + 1)).toBeUndefined();
  });
});
