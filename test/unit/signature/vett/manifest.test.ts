import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SignatureError } from "../../../../src/signature/signature-error.ts";
import { logicalHash } from "../../../../src/signature/vett/hashes.ts";
import { parseVettManifest, type VettManifest } from "../../../../src/signature/vett/manifest.ts";
import { sha256Hex } from "../../../../src/skill/digest.ts";
import { skillLimits } from "../../../../src/skill/limits.ts";
import { runs } from "../../../fixtures/property-runs.ts";

const parse = (value: unknown): VettManifest =>
  parseVettManifest(
    value instanceof Uint8Array
      ? value
      : Buffer.from(typeof value === "string" ? value : JSON.stringify(value)),
  );

const refusal = (value: unknown): { readonly code: string; readonly message: string } => {
  try {
    parse(value);
  } catch (error) {
    if (error instanceof SignatureError) return { code: error.code, message: error.message };
    throw error;
  }
  return { code: "accepted", message: "" };
};

const file = { path: "SKILL.md", content: "# a\n" };
const manifest = { schemaVersion: 1, entryPoint: "SKILL.md", files: [file] };
const malformed = (words: string) => ({
  code: "MANIFEST_MALFORMED",
  message: expect.stringContaining(words) as string,
});
const listing = (path: unknown) => refusal({ schemaVersion: 1, files: [{ path, content: "x" }] });

describe("parseVettManifest", () => {
  it("reads what the registry writes, files in their order", () => {
    const files = [file, { path: "a/b-c_1.sh", content: "", contentType: "text/x-shellscript" }];
    expect(parse({ ...manifest, files })).toEqual({
      schemaVersion: 1,
      entryPoint: "SKILL.md",
      files: [file, { path: "a/b-c_1.sh", content: "" }],
    });
    expect(parse({ schemaVersion: 1, files: [file] })).not.toHaveProperty("entryPoint");
  });

  it.each<[string, unknown, string]>([
    ["is no JSON", "files", "is not JSON"],
    ["is empty", "", "is not JSON"],
    ["begins with a byte order mark", `\ufeff${JSON.stringify(manifest)}`, "is not JSON"],
    ["is not UTF-8", Buffer.from([0x7b, 0xff, 0x7d]), "is not UTF-8"],
    ["is a list", [manifest], "is not an object"],
    ["is larger than what is read", Buffer.alloc(skillLimits.signatureBytes + 1, 0x20), "is larger than"],
    ["has an unknown field", { ...manifest, owner: "acme" }, 'unknown field "owner"'],
    ["lacks its version", { files: [file] }, "schemaVersion is missing"],
    ["has no files", { ...manifest, files: [] }, "lists no files"],
    ["lacks files", { schemaVersion: 1 }, "files is missing"],
    ["has files as an object", { schemaVersion: 1, files: { "SKILL.md": "x" } }, "is not a list"],
    ["has a file that is text", { schemaVersion: 1, files: ["SKILL.md"] }, "files[0] is not an object"],
    ["has a file without path", { schemaVersion: 1, files: [{ content: "" }] }, "path is missing"],
    ["has a file without content", { schemaVersion: 1, files: [{ path: "a" }] }, "content is missing"],
    ["has a number as content", { schemaVersion: 1, files: [{ path: "a", content: 1 }] }, "is not text"],
    [
      "has an unknown field of a file",
      { schemaVersion: 1, files: [{ ...file, mode: "755" }] },
      'unknown field "mode"',
    ],
    ["has an empty contentType", { schemaVersion: 1, files: [{ ...file, contentType: "" }] }, "contentType"],
    [
      "has a number as contentType",
      { schemaVersion: 1, files: [{ ...file, contentType: 1 }] },
      "contentType",
    ],
    ["names a file twice", { schemaVersion: 1, files: [file, { ...file, content: "evil" }] }, "listed twice"],
    ["has an entry point elsewhere", { ...manifest, entryPoint: "skill.md" }, "is none of its files"],
    ["has an empty entry point", { ...manifest, entryPoint: "" }, "is none of its files"],
    ["has a list as entry point", { ...manifest, entryPoint: ["SKILL.md"] }, "is not text"],
    [
      "has a key twice",
      JSON.stringify(manifest).replace('"files"', '"files":[],"files"'),
      "the same key twice",
    ],
    ["has half of a character", JSON.stringify(manifest).replace("# a", "\\ud83d"), "surrogate"],
  ])("refuses one that %s", (_what, value, words) => {
    expect(refusal(value)).toEqual(malformed(words));
  });

  it.each([0, 2, "1", null, [1]])("takes version 1 alone, not %j", (schemaVersion) => {
    expect(refusal({ ...manifest, schemaVersion }).code).toBe("UNSUPPORTED_FORMAT");
  });

  it.each([
    "../x",
    "a/../x",
    "a..b",
    "/etc/passwd",
    "\\server",
    "a\\b",
    "..\\x",
    "C:x",
    "./x",
    "a//b",
    "a/",
    "",
    "a b",
    "a\u0000",
    "a\n",
    "é.md",
    "a/".repeat(skillLimits.depth) + "b",
    "x".repeat(skillLimits.pathBytes + 1),
    "__proto__/..",
  ])("refuses the name %j", (path) => {
    expect(listing(path)).toEqual(malformed("the listed name "));
  });

  it.each(["vett.manifest.json", "vett.sigstore.json", "vett.analysis.json"])(
    "refuses a list that names %s, for it would sign a document about itself",
    (path) => {
      expect(listing(path)).toEqual(malformed("no manifest may hold"));
      expect(listing(`references/${path}`).code).toBe("accepted");
    },
  );

  it("takes names that only look strange", () => {
    for (const path of [".gitignore", "-rf", "a.b-c_d", "constructor", "1", "A/b/C.md"])
      expect(listing(path).code).toBe("accepted");
  });

  it("takes as many files as a skill may have, and no more", () => {
    const many = (count: number) => ({
      schemaVersion: 1,
      files: Array.from({ length: count }, (_, at) => ({ path: `f/${at}`, content: "" })),
    });
    expect(refusal(many(skillLimits.files)).code).toBe("accepted");
    expect(refusal(many(skillLimits.files + 1))).toEqual(malformed("more than 10000"));
  });

  it("reads or refuses whatever it is given, and never more than it says", () => {
    const value = fc.oneof(
      fc.json({ maxDepth: 4 }),
      fc
        .record({ schemaVersion: fc.constant(1), files: fc.array(fc.jsonValue()) })
        .map((one) => JSON.stringify(one)),
      fc
        .array(fc.record({ path: fc.string(), content: fc.string() }))
        .map((files) => JSON.stringify({ schemaVersion: 1, files })),
    );
    fc.assert(
      fc.property(value, (text) => {
        const { code } = refusal(text);
        if (code !== "accepted") return;
        const read = parse(text);
        expect(JSON.parse(text)).toMatchObject({ files: read.files });
        expect(new Set(read.files.map(({ path }) => path)).size).toBe(read.files.length);
      }),
      runs(300),
    );
  });
});

describe("logicalHash", () => {
  it("is over version, entry point and sorted files, as the registry's client works it out", () => {
    const files = [
      { path: "b.md", content: "two\n" },
      { path: "SKILL.md", content: "one" },
    ];
    const text = "1:SKILL.md\nSKILL.md:one\nb.md:two\n";
    expect(logicalHash({ schemaVersion: 1, entryPoint: "SKILL.md", files })).toBe(sha256Hex(text));
    expect(logicalHash({ schemaVersion: 1, files })).toBe(sha256Hex(text.replace("1:SKILL.md", "1:")));
  });

  it("sorts whole entries by UTF-16, so that names that begin alike are told apart by what follows", () => {
    const files = ["a-b", "a", "a/b", "a1"].map((path) => ({ path, content: "\u{1f600}" }));
    const sorted = ["a-b", "a/b", "a1", "a"].map((path) => `${path}:\u{1f600}`);
    expect(logicalHash({ schemaVersion: 1, files })).toBe(sha256Hex(`1:\n${sorted.join("\n")}`));
  });

  it("is the same for manifests that cut one text into other files: it names a version and proves nothing", () => {
    const [one, other] = [
      [
        { path: "SKILL.md", content: "x" },
        { path: "z", content: "y" },
      ],
      [{ path: "SKILL.md", content: "x\nz:y" }],
    ];
    expect(logicalHash({ schemaVersion: 1, files: one })).toBe(
      logicalHash({ schemaVersion: 1, files: other }),
    );
  });
});
