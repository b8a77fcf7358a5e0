import { describe, expect, it } from "vitest";
import type { SkillReference } from "../../../src/skill/reference.ts";
import { SkillFile } from "../../../src/skill/skill.ts";
import { findSkills } from "../../../src/workload/find-skills.ts";
import { mergeReferences } from "../../../src/workload/merge-references.ts";
import { within } from "../../../src/workload/pod/sub-path.ts";
import { podLimits } from "../../../src/workload/pod/limits.ts";
import { readPodSpec } from "../../../src/workload/pod/pod-spec.ts";
import { commonRoots, skillRoots } from "../../../src/workload/roots/skill-roots.ts";
import { volumeObjectKey } from "../../../src/kubernetes/volume-object.ts";
import { configMap, container, mount, namespace, pod, volume, volumeObject } from "../../fixtures/pods.ts";

/** A file that counts how often its bytes are asked for. */
function counted(text: string): { readonly file: SkillFile; readonly looks: () => number } {
  let looks = 0;
  const file = new Proxy(new SkillFile(Buffer.from(text)), {
    get: (target, property) => {
      if (property === "bytes") looks += 1;
      return Reflect.get(target, property, target) as unknown;
    },
  });
  return { file, looks: () => looks };
}

/** A map that counts how often it is gone through, and how many entries it gave. */
class CountedMap<K, V> extends Map<K, V> {
  given = 0;
  override *[Symbol.iterator](): MapIterator<[K, V]> {
    for (const entry of super.entries()) {
      this.given += 1;
      yield entry;
    }
  }
  override entries(): MapIterator<[K, V]> {
    return this[Symbol.iterator]();
  }
  override get(key: K): V | undefined {
    this.given += 1;
    return super.get(key);
  }
}

describe("work that does not grow with the number of mounts", () => {
  const containers = ["a", "b"].map((name) =>
    container(
      name,
      Array.from({ length: 200 }, (_, index) => mount("v", `/m/${index}`)),
    ),
  );
  const crowded = pod({ volumes: [volume("v", configMap("cm"))], containers });
  const ref = { kind: "ConfigMap", namespace, name: "cm" } as const;
  const seen = (file: SkillFile) => {
    const object = { ...volumeObject(ref, {}), files: new Map([["README.md", file]]) };
    return findSkills(readPodSpec(crowded), [], new Map([[volumeObjectKey(ref), object]]));
  };

  it("looks for frontmatter once in a file that is mounted 400 times", () => {
    const { file, looks } = counted("---\ntitle: t\n---\n");
    expect(seen(file)).toEqual([]);
    expect(looks()).toBe(1);
  });

  it("still finds the skill at each of the mounts", () => {
    const { file } = counted("---\nname: e\ndescription: d\n---\n");
    expect(seen(file)).toHaveLength(200);
  });

  it("looks for the skill root of a folder once, however many files are asked for", () => {
    let looks = 0;
    class CountedSet extends Set<string> {
      override has(value: string): boolean {
        looks += 1;
        return super.has(value);
      }
    }
    const [agent] = readPodSpec(pod({ containers: [container("agent", [])] })).containers;
    const roots = skillRoots({ ...commonRoots([]), roots: new CountedSet(["/s"]) }, agent!, new Map());
    expect(roots.rootOf("/s/a/b")).toBe("/s");
    const once = looks;
    expect(once).toBeGreaterThan(0);
    for (let index = 0; index < 100; index += 1) expect(roots.rootOf("/s/a/b")).toBe("/s");
    expect(looks).toBe(once);
    expect(roots.rootOf("/t/a/b")).toBeUndefined();
    expect(roots.rootOf("/t/a/b")).toBeUndefined();
  });

  it("refuses files at long paths, each of which would be gone through, before it looks at any", () => {
    const { file, looks } = counted("---\ntitle: t\n---\n");
    const object = {
      ...volumeObject(ref, {}),
      files: new Map(Array.from({ length: 5_000 }, (_, index) => [`${index}.md`, file] as const)),
    };
    const mountedAt = (folder: string) => {
      const mounts = Array.from({ length: 10 }, (_, index) => mount("v", `${folder}/${index}`));
      const subject = pod({ volumes: [volume("v", configMap("cm"))], containers: [container("a", mounts)] });
      return findSkills(readPodSpec(subject), [], new Map([[volumeObjectKey(ref), object]]));
    };
    const error = `the containers see files whose paths have more than ${podLimits.seenPathCharacters} characters together`;
    expect(() => mountedAt("/.claude".repeat(50))).toThrow(error);
    expect(looks()).toBe(0);
    expect(mountedAt("/.claude")).toEqual([]);
  });

  it("goes through a volume once, however many of its paths are mounted by subPath", () => {
    const files = new CountedMap(
      Array.from({ length: 300 }, (_, index) => [`d${index % 10}/f${index}`, index] as const),
    );
    for (let index = 0; index < 300; index += 1) {
      expect(within(files, `d${index % 10}/f${index}`)).toEqual([[`d${index % 10}/f${index}`, index]]);
      expect(within(files, `none${index}`)).toEqual([]);
      expect(within(files, `d${index % 10}`)).toHaveLength(30);
    }
    expect(files.given).toBe(300);
    expect(within(files, "")).toHaveLength(300);
  });
});

describe("mergeReferences", () => {
  const reference = (container: string, files: ReadonlyMap<string, SkillFile>): SkillReference => ({
    name: "x",
    path: "/skills/x",
    containers: [container],
    sources: [{ kind: "ConfigMap", name: "cm", writable: false }],
    content: { state: "resolved", skill: { name: "x", files } },
  });
  const one = new SkillFile(Buffer.from("S"));
  const other = new SkillFile(Buffer.from("S"));

  it("looks at each file of each reference once, also where all are different skills at one path", () => {
    const maps = Array.from(
      { length: 200 },
      () => new CountedMap([["SKILL.md", new SkillFile(Buffer.from("S"))]]),
    );
    const merged = mergeReferences(maps.map((files, index) => reference(`c${index}`, files)));
    expect(merged).toHaveLength(200);
    expect(maps.reduce((sum, { given }) => sum + given, 0)).toBe(200);
  });

  it("makes one of those with the very same files, in whatever order, and names each container once", () => {
    const merged = mergeReferences([
      reference(
        "a",
        new Map([
          ["f", one],
          ["g", other],
        ]),
      ),
      reference(
        "b",
        new Map([
          ["g", other],
          ["f", one],
        ]),
      ),
      reference(
        "a",
        new Map([
          ["f", one],
          ["g", other],
        ]),
      ),
    ]);
    expect(merged.map(({ containers }) => containers)).toEqual([["a", "b"]]);
  });

  it.each([
    ["equal files that were read apart", new Map([["f", other]])],
    ["the same file under another name", new Map([["g", one]])],
    [
      "one file more",
      new Map([
        ["f", one],
        ["g", one],
      ]),
    ],
  ])("keeps apart %s", (_, files) => {
    expect(mergeReferences([reference("a", new Map([["f", one]])), reference("b", files)])).toHaveLength(2);
  });

  it("keeps apart what comes from other sources, and what cannot be read for other reasons", () => {
    const base = reference("a", new Map([["f", one]]));
    const unread = (detail: string): SkillReference => ({
      ...base,
      content: { state: "unavailable", code: "TIMEOUT", detail },
    });
    const elsewhere = { ...base, sources: [{ kind: "ConfigMap", name: "cm2", writable: false }] } as const;
    expect(mergeReferences([base, elsewhere, unread("a"), unread("b"), unread("a")])).toHaveLength(4);
  });
});
