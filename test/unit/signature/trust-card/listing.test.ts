import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SignatureError } from "../../../../src/signature/signature-error.ts";
import {
  digestOfListing,
  isByProduct,
  isLeftOut,
  listFiles,
  readListing,
} from "../../../../src/signature/trust-card/listing.ts";
import { sha256 } from "../../../../src/skill/digest.ts";
import { skillOf } from "../../../fixtures/signed-skill.ts";

const hex = "ab".repeat(32);

function faultOf(text: string | Uint8Array): string {
  try {
    readListing(typeof text === "string" ? Buffer.from(text) : text);
    return "none";
  } catch (cause) {
    if (cause instanceof SignatureError) return `${cause.code} ${cause.message}`;
    throw cause;
  }
}

const listOf = (...paths: readonly string[]): string =>
  JSON.stringify(paths.map((path) => ({ path, sha256: hex })));

describe("listFiles", () => {
  it("leaves out by the last component of a name, in every folder", () => {
    for (const name of [
      "CARD.md",
      "CARD.svg",
      "hero.png",
      "hero.py",
      "a.manifest.json",
      "a.sigstore",
      "a.key",
      "a.pem",
    ]) {
      expect(isLeftOut(name), name).toBe(true);
      expect(isLeftOut(`scripts/${name}`), name).toBe(true);
      expect(isLeftOut(`${name}/x`), name).toBe(false);
    }
    for (const path of [".git/config", "a/.git/b/c", ".DS_Store", "a/.DS_Store", "a/.DS_Store/b"])
      expect(isLeftOut(path), path).toBe(true);
    for (const path of [
      "card.md",
      "MYCARD.md",
      "CARD.svg.txt",
      "heroes.md",
      "my-hero.png",
      ".github/x",
      ".gitignore",
    ])
      expect(isLeftOut(path), path).toBe(false);
  });

  it("tells by-products of the card from a skill's own files", () => {
    for (const path of ["CARD.md", "CARD.svg", "hero.webp", "hero.jpeg", ".git/config", ".DS_Store"]) {
      expect(isLeftOut(path), path).toBe(true);
      expect(isByProduct(path), path).toBe(true);
    }
    for (const path of [
      "scripts/hero.py",
      "hero.py",
      "hero.tar.png",
      "assets/hero.png",
      "a/CARD.md",
      "x.pem",
      "a/.git/x",
    ])
      expect(isByProduct(path), path).toBe(false);
  });

  it("sorts by code points, whatever the language does", () => {
    const { files } = skillOf("a", {
      "\u{1f600}": "",
      "\uff5e": "",
      "a.md": "",
      "a/b": "",
      "a-b": "",
      B: "",
      "CARD.md": "",
    });
    expect([...listFiles(files).keys()]).toEqual(["B", "a-b", "a.md", "a/b", "\uff5e", "\u{1f600}"]);
  });

  it("gives the digest of what sha256sum prints, without the last line feed", () => {
    const { files } = skillOf("a", { "b.md": "two\n", "a.md": "one\n" });
    // printf 'one\n' | sha256sum; printf 'two\n' | sha256sum
    const lines = [
      "2c8b08da5ce60398e1f19af0e5dccc744df274b826abe585eaba68c525434806  a.md",
      "27dd8ed44a83ff94d557f9fd0412ed5a8cbca69ea04922d88c01184a07300a5a  b.md",
    ];
    expect(digestOfListing(listFiles(files))).toBe(sha256(lines.join("\n")));
  });
});

describe("readListing", () => {
  it("reads a sorted list, in whatever form JSON has", () => {
    const text = `[ {"sha256":"${hex}", "path":"a"},\n{"path":"b\\u0063","sha256":"${hex}"}]`;
    expect([...readListing(Buffer.from(text))]).toEqual([
      ["a", hex],
      ["bc", hex],
    ]);
    expect(readListing(Buffer.from("[]")).size).toBe(0);
  });

  it.each<[string, string, RegExp]>([
    ["nothing", "", /not JSON/],
    ["an object", "{}", /not a list/],
    ["a byte order mark", "\ufeff[]", /not JSON/],
    ["a key twice", `[{"path":"a","path":"b","sha256":"${hex}"}]`, /same key twice/],
    ["an unknown member", `[{"path":"a","sha256":"${hex}","size":1}]`, /unknown field "size"/],
    ["no path", `[{"sha256":"${hex}"}]`, /entry 1 .*path is missing/],
    ["no digest", `[{"path":"a"}]`, /sha256 is missing/],
    ["an entry that is none", "[1]", /entry 1 .* not an object/],
    ["a digest in capitals", `[{"path":"a","sha256":"${hex.toUpperCase()}"}]`, /64 lower-case/],
    ["a short digest", `[{"path":"a","sha256":"ab"}]`, /64 lower-case/],
    ["a prefix", `[{"path":"a","sha256":"sha256:${hex}"}]`, /64 lower-case/],
    ["a path twice", listOf("a", "a"), /twice/],
    ["another order", listOf("b", "a"), /not sorted/],
    ["the order of UTF-16", listOf("\u{1f600}", "\uff5e"), /not sorted/],
    ["a way out", listOf("../a"), /has the component/],
    ["an absolute path", listOf("/a"), /is absolute/],
    ["a line break, which would be another line of the digest", listOf("a\nb"), /control character/],
    ["too many files", `[${"0,".repeat(10_000)}0]`, /more than 10000/],
  ])("refuses %s", (_what, text, message) => {
    expect(faultOf(text)).toMatch(/^MANIFEST_MALFORMED /);
    expect(faultOf(text)).toMatch(message);
  });

  it("reads the same bytes once, and others anew", () => {
    const bytes = Buffer.from(listOf("a"));
    expect(readListing(bytes)).toBe(readListing(bytes));
    expect([...readListing(Buffer.from(listOf("b"))).keys()]).toEqual(["b"]);
    const broken = Buffer.from(listOf("b", "a"));
    for (let again = 0; again < 2; again += 1) expect(faultOf(broken)).toMatch(/not sorted/);
  });

  it("refuses what is not UTF-8, and what is too large", () => {
    expect(faultOf(Uint8Array.of(0x22, 0xff, 0x22))).toMatch(/not UTF-8/);
    expect(faultOf(new Uint8Array(2 * 1024 * 1024 + 1))).toMatch(/larger than/);
  });

  it("gives two lists the same digest only where they are the same", () => {
    const path = fc
      .string({ unit: "grapheme-ascii", minLength: 1, maxLength: 8 })
      .filter((text) => !text.includes("/"));
    const list = fc.dictionary(path, fc.constantFrom(hex, "cd".repeat(32)), {
      maxKeys: 4,
      noNullPrototype: true,
    });
    fc.assert(
      fc.property(list, list, (one, other) => {
        const [left, right] = [one, other].map((each) => new Map(Object.entries(each).sort()));
        const same = JSON.stringify([...left!]) === JSON.stringify([...right!]);
        expect(digestOfListing(left!) === digestOfListing(right!)).toBe(same);
      }),
    );
  });
});
