import fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  goJsonSize,
  PackageError,
  packConfigMaps,
  type PackedConfigMap,
} from "../../../../src/cli/package/config-maps.ts";
import { examplePod, podVolume } from "../../../../src/cli/package/pod-volume.ts";
import { SkillFile, type Skill } from "../../../../src/skill/skill.ts";
import { runs } from "../../../fixtures/property-runs.ts";

const skillOf = (files: Readonly<Record<string, string | Uint8Array>>, name = "demo"): Skill => ({
  name,
  files: new Map(
    Object.entries(files).map(([path, content]) => [
      path,
      new SkillFile(typeof content === "string" ? Buffer.from(content) : content),
    ]),
  ),
});

/** The tree that the volume's items make of the ConfigMaps. */
function rebuilt(packed: readonly PackedConfigMap[]): Map<string, Buffer> {
  const volume = podVolume(packed, "demo", "/skills/demo").volume;
  const tree = new Map<string, Buffer>();
  for (const { configMap } of volume.projected.sources) {
    const source = packed.find(({ manifest }) => manifest.metadata.name === configMap.name)?.manifest;
    for (const { key, path } of configMap.items) {
      // A key may be called toString: inherited members are no content.
      const text = new Map(Object.entries(source?.data ?? {})).get(key);
      const binary = new Map(Object.entries(source?.binaryData ?? {})).get(key);
      const bytes = text === undefined ? Buffer.from(binary!, "base64") : Buffer.from(text);
      expect(tree.has(path)).toBe(false);
      tree.set(path, bytes);
    }
  }
  return tree;
}

const dataSize = ({ manifest }: PackedConfigMap) =>
  Object.values(manifest.data ?? {}).reduce((sum, text) => sum + Buffer.byteLength(text), 0) +
  Object.values(manifest.binaryData ?? {}).reduce((sum, text) => sum + Buffer.from(text, "base64").length, 0);

const pathPart = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 8 })
  .filter((part) => !part.includes("/") && !part.startsWith("..") && part !== ".");

describe("packConfigMaps", () => {
  it("makes immutable ConfigMaps, named after the skill and its content, that rebuild the tree", () => {
    const skill = skillOf({
      "SKILL.md": "# x\n",
      "scripts/run.sh": "#!/bin/sh\n",
      "logo.png": Uint8Array.of(137, 255),
    });
    const [only, ...others] = packConfigMaps(skill, { name: "demo", namespace: "payments" });
    expect(others).toEqual([]);
    expect(only?.manifest).toMatchObject({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { namespace: "payments", name: expect.stringMatching(/^demo-[0-9a-f]{10}$/) as string },
      immutable: true,
      data: { "SKILL.md": "# x\n", "scripts__run.sh": "#!/bin/sh\n" },
      binaryData: { "logo.png": "if8=" },
    });
    expect(Object.keys(only!.manifest.data!)).not.toContain("logo.png");
  });

  it("carries a text with U+FFFD as bytes, which the cluster tells from other bytes", () => {
    const [only] = packConfigMaps(skillOf({ "SKILL.md": "# \ufffd\n" }), { name: "demo" });
    expect(only?.manifest.data).toBeUndefined();
    expect(only?.manifest.binaryData).toEqual({ "SKILL.md": Buffer.from("# \ufffd\n").toString("base64") });
  });

  it("changes the name when a byte or a path changes, and only then", () => {
    const name = (files: Readonly<Record<string, string>>) =>
      packConfigMaps(skillOf(files), { name: "demo" })[0]?.manifest.metadata.name;
    expect(name({ a: "1", b: "2" })).toBe(name({ b: "2", a: "1" }));
    expect(name({ a: "1" })).not.toBe(name({ a: "2" }));
    expect(name({ a: "1" })).not.toBe(name({ b: "1" }));
  });

  it("rebuilds any tree exactly, within the limits of a ConfigMap", () => {
    const content = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.string().map((text) => new Uint8Array(Buffer.from(text.toWellFormed()))),
      fc.integer({ min: 0, max: 200_000 }).map((size) => new Uint8Array(Buffer.alloc(size, "x\n"))),
    );
    const files = fc.uniqueArray(fc.tuple(fc.array(pathPart, { minLength: 1, maxLength: 3 }), content), {
      selector: ([parts]) => parts.join("/"),
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(files, (entries) => {
        const tree = new Map(entries.map(([parts, bytes]) => [parts.join("/"), bytes]));
        const skill = { name: "demo", files: new Map([...tree].map(([p, b]) => [p, new SkillFile(b)])) };
        const packed = packConfigMaps(skill, { name: "demo" });
        const result = rebuilt(packed);
        expect([...result.keys()].sort()).toEqual([...tree.keys()].sort());
        for (const [path, bytes] of tree) expect(result.get(path)?.equals(bytes)).toBe(true);
        for (const one of packed) expect(dataSize(one)).toBeLessThanOrEqual(1024 * 1024);
      }),
      runs(100),
    );
  });

  it("splits where kubectl's own copy of the object would not fit into an annotation", () => {
    const packed = packConfigMaps(skillOf({ a: "a".repeat(200_000), b: "b".repeat(200_000) }), {
      name: "demo",
    });
    expect(packed.map(({ manifest }) => manifest.metadata.name.slice(-2))).toEqual(["-1", "-2"]);
    for (const { manifest, serverSide } of packed) {
      expect(serverSide).toBe(false);
      expect(JSON.stringify(manifest).length).toBeLessThan(262_144);
    }
  });

  it("keeps room for all that the annotation holds, when many small files come with long paths", () => {
    const files = Object.fromEntries(
      Array.from({ length: 2000 }, (_, index) => [`${"folder/".repeat(20)}${index}.md`, "<&>\n".repeat(20)]),
    );
    for (const { manifest } of packConfigMaps(skillOf(files), { name: "demo", namespace: "n".repeat(63) })) {
      expect(goJsonSize(JSON.stringify(manifest)) / 2).toBeLessThan(262_144);
      const escaped = JSON.stringify(manifest).replace(/[<>&]/g, "\\u0000");
      expect(escaped.length).toBeLessThan(262_144);
    }
  });

  it("carries a single file up to 1 MiB and says that it needs server-side apply", () => {
    const [one, two] = packConfigMaps(skillOf({ a: "small", big: "x".repeat(1024 * 1024) }), {
      name: "demo",
    });
    expect([one?.serverSide, two?.serverSide]).toEqual([false, true]);
    expect(dataSize(two!)).toBe(1024 * 1024);
  });

  it.each([
    [{ big: "x".repeat(1024 * 1024 + 1) }, "demo", /"big" has 1048577 bytes.*image volume/],
    [{ "..a": "x" }, "demo", /"\.\.a".*rename/],
    [{}, "demo", /no files/],
    [{ a: "x" }, "Démo", /--name/],
    [{ a: "x" }, "a".repeat(250), /--name/],
  ])("refuses what cannot be mounted, and says what else to do", (files, name, message) => {
    expect(() => packConfigMaps(skillOf(files as Record<string, string>), { name })).toThrow(PackageError);
    expect(() => packConfigMaps(skillOf(files as Record<string, string>), { name })).toThrow(message);
  });

  it("leaves out the label that a skill's name cannot be", () => {
    const [one] = packConfigMaps(skillOf({ a: "x" }, "ä".repeat(70)), { name: "demo" });
    expect(one?.manifest.metadata.labels).toEqual({ "app.kubernetes.io/managed-by": "skill-admission" });
  });
});

describe("goJsonSize", () => {
  it("is never less than what JSON.stringify needs", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (raw) => {
        const text = raw.toWellFormed();
        expect(goJsonSize(text)).toBeGreaterThanOrEqual(Buffer.byteLength(JSON.stringify(text)));
      }),
    );
  });

  it("counts what Go escapes and JavaScript does not", () => {
    expect(goJsonSize("<&>")).toBe(2 + 3 * 6);
    expect(goJsonSize("\u2028")).toBe(2 + 6);
  });
});

describe("podVolume", () => {
  it("makes scripts runnable and everything else readable only", () => {
    const packed = packConfigMaps(skillOf({ "run.sh": "#!/bin/sh\n", "a.md": "#" }), { name: "demo" });
    const { volume, mount } = podVolume(packed, "demo", "/skills/demo");
    expect(volume.projected.defaultMode).toBe(0o444);
    expect(volume.projected.sources[0]?.configMap.items).toEqual([
      { key: "a.md", path: "a.md" },
      { key: "run.sh", path: "run.sh", mode: 0o555 },
    ]);
    expect(mount).toEqual({ name: volume.name, mountPath: "/skills/demo", readOnly: true });
  });

  it.each([
    ["My.Skill_1", "skill-my-skill-1"],
    ["a".repeat(100), `skill-${"a".repeat(57)}`],
    ["é", "skill"],
  ])("gives the volume of %s a name that is a DNS label", (name, label) => {
    expect(podVolume([], name, "/s").volume.name).toBe(label);
  });
});

describe("examplePod", () => {
  it("mounts the skill read-only in an unprivileged container", () => {
    const volume = podVolume(packConfigMaps(skillOf({ a: "x" }), { name: "demo" }), "demo", "/skills/demo");
    expect(examplePod(volume, { name: "demo", namespace: "n", image: "busybox" })).toMatchObject({
      kind: "Pod",
      metadata: { name: "demo", namespace: "n" },
      spec: {
        containers: [{ image: "busybox", volumeMounts: [{ readOnly: true, mountPath: "/skills/demo" }] }],
        volumes: [{ name: "skill-demo" }],
      },
    });
  });
});
