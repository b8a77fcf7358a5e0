import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sha256, shortDigest } from "../../../src/skill/digest.ts";
import { digestFiles, SkillFile, skillSize, treeDigest, type Skill } from "../../../src/skill/skill.ts";

const skill = (files: Readonly<Record<string, string>>): Skill => ({
  name: "demo",
  files: new Map(Object.entries(files).map(([path, text]) => [path, new SkillFile(Buffer.from(text))])),
});

describe("SkillFile", () => {
  it("has the SHA-256 and length of its bytes", () => {
    const file = new SkillFile(Buffer.from("abc"));
    expect(file.sha256).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect(file.size).toBe(3);
    expect(skillSize(skill({ a: "12", b: "345" }))).toBe(5);
  });
});

describe("digests", () => {
  it("agree with the streaming hash, and are cut after it", () => {
    expect(sha256("abc")).toBe(`sha256:${createHash("sha256").update("abc").digest("hex")}`);
    expect(shortDigest(sha256("abc"))).toBe("ba7816bf…");
    expect(shortDigest("blake3:0123456789")).toBe("blake3:0…");
  });
});

describe("digestFiles", () => {
  const filesOf = (sizes: readonly number[]): Skill => ({
    name: "large",
    files: new Map(sizes.map((size, at) => [`f${at}`, new SkillFile(Buffer.alloc(size, at))])),
  });
  const count = (): { (): Promise<void>; readonly calls: () => number } => {
    let calls = 0;
    return Object.assign(() => Promise.resolve(void (calls += 1)), { calls: () => calls });
  };

  it("works out the digests that the files have anyway", async () => {
    const sizes = [0, 1, 100_000, 131_072, 1_048_576];
    const [ahead, later] = [filesOf(sizes), filesOf(sizes)];
    await digestFiles(ahead, count());
    expect([...ahead.files.values()].map((file) => file.isDigested)).toEqual(sizes.map(() => true));
    expect(treeDigest(ahead)).toBe(treeDigest(later));
  });

  it("gives way between many small files, and not for few", async () => {
    const [many, few] = [count(), count()];
    await digestFiles(filesOf(Array.from({ length: 40 }, () => 65_536)), many);
    await digestFiles(filesOf([65_536, 1000, 10]), few);
    expect(many.calls()).toBe(5);
    expect(few.calls()).toBe(0);
  });

  it("does nothing twice", async () => {
    const skill = filesOf(Array.from({ length: 40 }, () => 65_536));
    await digestFiles(skill, count());
    const again = count();
    await digestFiles(skill, again);
    expect(again.calls()).toBe(0);
  });

  it("ends where giving way says so", async () => {
    const skill = filesOf(Array.from({ length: 40 }, () => 65_536));
    await expect(digestFiles(skill, () => Promise.reject(new Error("late")))).rejects.toThrow("late");
    expect([...skill.files.values()].filter((file) => file.isDigested)).toHaveLength(8);
  });

  it("lets other work run while a large file is hashed", async () => {
    const order: string[] = [];
    const done = digestFiles(filesOf([8 * 1_048_576]), count()).then(() => order.push("hashed"));
    setImmediate(() => order.push("other work"));
    await done;
    expect(order).toEqual(["other work", "hashed"]);
  });
});

describe("treeDigest", () => {
  it("does not depend on the order in which files came", () => {
    expect(treeDigest(skill({ a: "1", b: "2" }))).toBe(treeDigest(skill({ b: "2", a: "1" })));
  });

  it("is SHA-256 over the paths with their lengths and the files' digests", () => {
    const text = `1:a:${sha256("1").slice(7)}\n2:é:${sha256("2").slice(7)}\n`;
    expect(treeDigest(skill({ é: "2", a: "1" }))).toBe(sha256(text));
  });

  it("differs whenever a path or a byte differs", () => {
    const tree = fc.dictionary(fc.string({ minLength: 1, maxLength: 4 }), fc.string({ maxLength: 4 }), {
      maxKeys: 4,
      noNullPrototype: true,
    });
    fc.assert(
      fc.property(tree, tree, (one, other) => {
        const same =
          JSON.stringify(Object.entries(one).sort()) === JSON.stringify(Object.entries(other).sort());
        expect(treeDigest(skill(one)) === treeDigest(skill(other))).toBe(same);
      }),
    );
  });
});
