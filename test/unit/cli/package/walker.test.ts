import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { packConfigMaps } from "../../../../src/cli/package/config-maps.ts";
import { examplePod, podVolume } from "../../../../src/cli/package/pod-volume.ts";
import type { VolumeObject } from "../../../../src/skill/source.ts";
import { collisionKey, pathFault } from "../../../../src/skill/path.ts";
import { SkillFile, treeDigest, type Skill } from "../../../../src/skill/skill.ts";
import { findSkills } from "../../../../src/workload/find-skills.ts";
import { objectsToRead } from "../../../../src/workload/objects-to-read.ts";
import { podOf } from "../../../../src/workload/carriers/pod-of.ts";
import { readPodSpec } from "../../../../src/workload/pod/pod-spec.ts";
import { volumeObjectKey } from "../../../../src/kubernetes/volume-object.ts";

/** Packs a skill, and has the pod walker put it together again from the example pod. */
function roundTrip(skill: Skill) {
  const packed = packConfigMaps(skill, { name: "demo", namespace: "payments" });
  const volume = podVolume(packed, "demo", "/skills/demo");
  const pod = podOf(
    examplePod(volume, { name: "demo", namespace: "payments", image: "busybox" }),
    "payments",
  )!;
  const objects = new Map<string, VolumeObject>(
    packed.map(({ manifest }) => {
      const { name } = manifest.metadata;
      const entries = [
        ...Object.entries(manifest.data ?? {}).map(([key, text]) => [key, Buffer.from(text)] as const),
        ...Object.entries(manifest.binaryData ?? {}).map(
          ([key, text]) => [key, Buffer.from(text, "base64")] as const,
        ),
      ];
      const object: VolumeObject = {
        kind: "ConfigMap",
        namespace: "payments",
        name,
        identity: `${name}/1`,
        immutable: manifest.immutable,
        files: new Map(entries.map(([key, bytes]) => [key, new SkillFile(new Uint8Array(bytes))])),
      };
      return [volumeObjectKey(object), object];
    }),
  );
  const asked = objectsToRead(readPodSpec(pod), []).map(volumeObjectKey);
  return { references: findSkills(readPodSpec(pod), [], objects), asked, packed };
}

const skillOf = (files: readonly (readonly [string, Uint8Array])[]): Skill => ({
  name: "demo",
  files: new Map(files.map(([path, bytes]) => [path, new SkillFile(bytes)])),
});

const part = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 6 })
  .filter((text) => !text.includes("/") && !text.startsWith("..") && pathFault(text) === undefined);

/** Trees as a skill may have them: no two names alike, none both a file and a folder. */
const tree = fc
  .array(fc.tuple(fc.array(part, { minLength: 1, maxLength: 3 }), fc.uint8Array({ maxLength: 50 })), {
    maxLength: 12,
  })
  .map((entries) => {
    const taken = new Map<string, Uint8Array>([
      ["SKILL.md", new Uint8Array(Buffer.from("---\nname: demo\n---\n"))],
    ]);
    const keys = new Set(["skill.md"]);
    for (const [parts, bytes] of entries) {
      const path = parts.join("/");
      const key = collisionKey(path);
      const clash = [...keys].some(
        (other) => other === key || other.startsWith(`${key}/`) || key.startsWith(`${other}/`),
      );
      const folders = parts.some((_, index) =>
        [...taken.keys()].some((other) => {
          const own = parts.slice(0, index + 1).join("/");
          const theirs = other
            .split("/")
            .slice(0, index + 1)
            .join("/");
          return own !== theirs && collisionKey(own) === collisionKey(theirs);
        }),
      );
      if (clash || folders) continue;
      keys.add(key);
      taken.set(path, bytes);
    }
    return skillOf([...taken]);
  });

describe("what package writes", () => {
  it("is found by the pod walker as exactly the packed tree, immutable and read-only", () => {
    fc.assert(
      fc.property(tree, (skill) => {
        const { references, asked, packed } = roundTrip(skill);
        expect(asked).toHaveLength(packed.length);
        expect(references).toHaveLength(1);
        const [reference] = references;
        expect(reference).toMatchObject({ name: "demo", path: "/skills/demo", containers: ["agent"] });
        for (const source of reference!.sources)
          expect(source).toMatchObject({ immutable: true, writable: false });
        const { content } = reference!;
        expect(content.state).toBe("resolved");
        if (content.state === "resolved") expect(treeDigest(content.skill)).toBe(treeDigest(skill));
      }),
    );
  });

  it("is found whole when it takes several ConfigMaps", () => {
    const big = Array.from(
      { length: 6 },
      (_, index) => [`references/${index}.md`, new Uint8Array(Buffer.alloc(200_000, "x"))] as const,
    );
    const skill = skillOf([["SKILL.md", new Uint8Array(Buffer.from("# x"))], ...big]);
    const { references, packed } = roundTrip(skill);
    expect(packed.length).toBeGreaterThan(4);
    const content = references[0]?.content;
    expect(content?.state === "resolved" && treeDigest(content.skill)).toBe(treeDigest(skill));
  });
});
