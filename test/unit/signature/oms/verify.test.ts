import { createHash, createPublicKey, generateKeyPairSync } from "node:crypto";
import { blake3 } from "@noble/hashes/blake3.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SignatureEvidence } from "../../../../src/signature/signature-evidence.ts";
import type { TrustMaterial } from "../../../../src/signature/trust-material.ts";
import { verifySignature } from "../../../../src/signature/verify.ts";
import { trustOf } from "../../../fixtures/certificates.ts";
import { signPayload, skillOf, withFiles, type TestFiles } from "../../../fixtures/signed-skill.ts";

const { privateKey: key } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const trust = trustOf({ keys: [createPublicKey(key)] });
const hex = (algorithm: string, bytes: string | Uint8Array): string =>
  createHash(algorithm).update(bytes).digest("hex");
const sha256 = (bytes: string | Uint8Array): string => hex("sha256", bytes);

interface Resource {
  readonly name: unknown;
  readonly algorithm: unknown;
  readonly digest: unknown;
}

interface Draft {
  readonly files?: TestFiles;
  readonly resources?: readonly Resource[];
  readonly serialization?: object;
  readonly statement?: object;
  readonly subject?: object;
  readonly legacy?: boolean;
}

const files = { "SKILL.md": "# demo\n", "references/a.md": "alpha\n" };

const resource = (name: string, content: string): Resource => ({
  name,
  algorithm: "sha256",
  digest: sha256(content),
});

const listed: readonly Resource[] = Object.entries(files).map(([name, content]) => resource(name, content));

const rootOf = (resources: readonly Resource[]): string =>
  sha256(Buffer.from(resources.map(({ digest }) => String(digest)).join(""), "hex"));

/** A validly signed statement, correct except for the draft, and its tree. */
function verifyDraft(draft: Draft = {}, trusted: TrustMaterial = trust): SignatureEvidence {
  const resources = draft.resources ?? listed;
  const statement = {
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name: "demo", digest: { sha256: rootOf(resources) }, ...draft.subject }],
    predicateType: "https://model_signing/signature/v1.0",
    predicate: {
      serialization: { method: "files", hash_type: "sha256", allow_symlinks: false, ...draft.serialization },
      resources,
    },
    ...draft.statement,
  };
  const signature = signPayload(Buffer.from(JSON.stringify(statement, null, 2)), key, {
    legacy: draft.legacy ?? false,
  });
  const skill = withFiles(skillOf("demo", draft.files ?? files), { "skill.oms.sig": signature });
  return verifySignature(skill, trusted, Date.now());
}

const faultOf = (evidence: SignatureEvidence): unknown =>
  evidence.outcome === "untrusted" ? [evidence.fault, evidence.detail] : evidence.outcome;

describe("verifySignature of an OMS statement", () => {
  it("accepts the plain one", () => {
    expect(verifyDraft()).toMatchObject({ outcome: "signed", unlisted: [] });
  });

  it.each<[string, Draft]>([
    ["no ignore_paths", {}],
    ["files in an order of its own", { resources: listed.toReversed() }],
    ["allow_symlinks true", { serialization: { allow_symlinks: true } }],
    ["another algorithm beside SHA-256", { subject: { digest: { sha256: rootOf(listed), sha512: "00" } } }],
    ["any folder name", { subject: { name: "elsewhere" } }],
    ["the encoding of model-signing 0.2", { legacy: true }],
    [
      "a single file by the subject's name",
      {
        files: { "SKILL.md": "x" },
        resources: [{ ...resource("x", "x"), name: "." }],
        subject: { name: "SKILL.md" },
      },
    ],
  ])("accepts %s", (_name, draft) => {
    expect(faultOf(verifyDraft(draft))).toBe("signed");
  });

  it.each<[string, Draft, string, string]>([
    ["no files", { resources: [] }, "MANIFEST_MALFORMED", "lists no files"],
    [
      "a root digest of another list",
      { subject: { digest: { sha256: sha256("x") } } },
      "MANIFEST_MALFORMED",
      "contradicts",
    ],
    ["a name twice", { resources: [...listed, ...listed] }, "MANIFEST_MALFORMED", "listed twice"],
    ["an absolute name", { resources: [resource("/etc/passwd", "x")] }, "MANIFEST_MALFORMED", "is absolute"],
    ["a name that leaves the folder", { resources: [resource("../x", "x")] }, "MANIFEST_MALFORMED", '".."'],
    ["an empty name", { resources: [resource("", "x")] }, "MANIFEST_MALFORMED", "is empty"],
    [
      "a name with a zero byte",
      { resources: [resource("a\0b", "x")] },
      "MANIFEST_MALFORMED",
      "control character",
    ],
    ["the name . among others", { resources: [...listed, resource(".", "x")] }, "MANIFEST_MALFORMED", '"."'],
    [
      "a single file whose subject is a path",
      { resources: [resource(".", "x")], subject: { name: "a/b" } },
      "MANIFEST_MALFORMED",
      "is a path",
    ],
    [
      "an algorithm that is not the serialization's",
      { resources: [{ ...resource("SKILL.md", "x"), algorithm: "blake3" }] },
      "MANIFEST_MALFORMED",
      "serialization says sha256",
    ],
    [
      "a short digest",
      { resources: [{ ...listed[0]!, digest: "ab" }] },
      "MANIFEST_MALFORMED",
      "64 lower-case hex digits",
    ],
    [
      "a digest in capitals",
      { resources: [{ ...listed[0]!, digest: sha256("x").toUpperCase() }] },
      "MANIFEST_MALFORMED",
      "64 lower-case hex digits",
    ],
    ["two subjects", { statement: { subject: [{}, {}] } }, "MANIFEST_MALFORMED", "2 subjects"],
    ["no subject", { statement: { subject: [] } }, "MANIFEST_MALFORMED", "0 subjects"],
    ["an unknown field", { statement: { extra: 1 } }, "MANIFEST_MALFORMED", 'unknown field "extra"'],
    ["an unknown field of a subject", { subject: { uri: "x" } }, "MANIFEST_MALFORMED", 'unknown field "uri"'],
    [
      "an unknown field of the serialization",
      { serialization: { x: 1 } },
      "MANIFEST_MALFORMED",
      'unknown field "x"',
    ],
    ["an unknown method", { serialization: { method: "tensors" } }, "UNSUPPORTED_FORMAT", "files and shards"],
    ["an unknown hash", { serialization: { hash_type: "md5" } }, "UNSUPPORTED_FORMAT", '"md5"'],
    [
      "a hash named like a property of objects",
      { serialization: { hash_type: "constructor" } },
      "UNSUPPORTED_FORMAT",
      "",
    ],
    ["shard_size beside files", { serialization: { shard_size: 10 } }, "MANIFEST_MALFORMED", "shard_size"],
    [
      "allow_symlinks that is no boolean",
      { serialization: { allow_symlinks: "no" } },
      "MANIFEST_MALFORMED",
      "allow_symlinks",
    ],
    [
      "another statement type",
      { statement: { _type: "https://in-toto.io/Statement/v0.1" } },
      "UNSUPPORTED_FORMAT",
      "v0.1",
    ],
    [
      "another predicate",
      { statement: { predicateType: "https://slsa.dev/provenance/v1" } },
      "UNSUPPORTED_FORMAT",
      "slsa",
    ],
  ])("refuses %s", (_name, draft, fault, detail) => {
    const evidence = verifyDraft(draft);
    expect(evidence).toMatchObject({
      outcome: "untrusted",
      fault,
      detail: expect.stringContaining(detail) as string,
    });
  });
});

describe("verifySignature of ignored paths", () => {
  const ignoring = (paths: unknown, more: TestFiles = {}): SignatureEvidence =>
    verifyDraft({ files: { ...files, ...more }, serialization: { ignore_paths: paths } });

  it("names the files in them, whole components only", () => {
    const more = { "build/x.o": "x", "build/deep/y.o": "y" };
    expect(ignoring(["build"], more)).toMatchObject({
      outcome: "signed",
      unlisted: ["build/deep/y.o", "build/x.o"],
    });
    expect(ignoring(["build"], { "builder.md": "x" })).toMatchObject({
      outcome: "tampered",
      differences: [{ path: "builder.md", change: "added" }],
    });
  });

  it.each([
    ["everything", ["."]],
    ["an empty path", [""]],
    ["a parent folder", [".."]],
    ["a path out of the folder and back", ["references/../scripts"]],
    ["an absolute path", ["/tmp/x"]],
    ["a trailing slash", ["build/"]],
    ["a text for a list", "build"],
    ["a number", [1]],
    ["more than a thousand", Array.from({ length: 1_001 }, (_, at) => `p${at}`)],
    ["what it lists itself", ["references"]],
  ])("refuses to ignore %s", (_name, paths) => {
    expect(ignoring(paths)).toMatchObject({ outcome: "untrusted", fault: "MANIFEST_MALFORMED" });
  });

  it("refuses a list of files that verifiers ignore whatever the signature says", () => {
    const draft = { files: { ".gitignore": "x" }, resources: [resource(".gitignore", "x")] };
    expect(verifyDraft(draft)).toMatchObject({ fault: "MANIFEST_MALFORMED" });
  });
});

describe("verifySignature by other digests", () => {
  it.each([
    ["blake2b", (text: string) => hex("blake2b512", text)],
    ["blake3", (text: string) => Buffer.from(blake3(Buffer.from(text))).toString("hex")],
  ] as const)("accepts %s, and tells a changed file by it", (algorithm, digestOf) => {
    const resources = Object.entries(files).map(([name, text]) => ({
      name,
      algorithm,
      digest: digestOf(text),
    }));
    const draft = { resources, serialization: { hash_type: algorithm } };
    expect(faultOf(verifyDraft(draft))).toBe("signed");
    expect(verifyDraft({ ...draft, files: { ...files, "SKILL.md": "changed" } })).toMatchObject({
      outcome: "tampered",
      differences: [
        {
          path: "SKILL.md",
          signed: `${algorithm}:${digestOf("# demo\n")}`,
          found: `${algorithm}:${digestOf("changed")}`,
        },
      ],
    });
  });
});

describe("verifySignature for an untrusted signer", () => {
  it("shows what differs, but works out no slow digest for somebody who is not trusted", () => {
    const changed = { ...files, "SKILL.md": "changed" };
    const untrusting = (draft: Draft): SignatureEvidence => verifyDraft(draft, trustOf({}));
    expect(untrusting({ files: changed })).toMatchObject({ differences: [{ path: "SKILL.md" }] });
    const resources = Object.entries(files).map(([name, text]) => ({
      name,
      algorithm: "blake3",
      digest: Buffer.from(blake3(Buffer.from(text))).toString("hex"),
    }));
    const slow = { resources, serialization: { hash_type: "blake3" } };
    expect(verifyDraft(slow)).toMatchObject({ outcome: "signed" });
    const evidence = untrusting({ ...slow, files: changed });
    expect(evidence).toMatchObject({ outcome: "untrusted", fault: "UNTRUSTED_SIGNER" });
    expect(evidence).not.toHaveProperty("differences");
  });
});

describe("verifySignature by shards", () => {
  const shardsOf = (path: string, content: string, size = 4): readonly Resource[] =>
    Array.from({ length: Math.ceil(content.length / size) }, (_, at) => {
      const piece = content.slice(at * size, (at + 1) * size);
      const name = `${path}:${at * size}:${at * size + piece.length}`;
      return { name, algorithm: `sha256-sharded-${size}`, digest: sha256(piece) };
    });
  const serialization = { method: "shards", shard_size: 4 };
  const sharded = { resources: shardsOf("a.md", "0123456789"), serialization };
  const verifyShards = (content: string, more: Draft = {}): SignatureEvidence =>
    verifyDraft({ files: { "a.md": content }, ...sharded, ...more });

  it("accepts them in any order", () => {
    expect(faultOf(verifyShards("0123456789"))).toBe("signed");
    expect(faultOf(verifyShards("0123456789", { resources: sharded.resources.toReversed() }))).toBe("signed");
  });

  it("accepts any content and any size of shard", () => {
    const content = fc.stringMatching(/^[a-z]{1,40}$/);
    fc.assert(
      fc.property(content, fc.integer({ min: 1, max: 50 }), (text, size) => {
        const resources = shardsOf("a.md", text, size);
        const evidence = verifyShards(text, {
          resources,
          serialization: { ...serialization, shard_size: size },
        });
        expect(faultOf(evidence)).toBe("signed");
      }),
    );
  });

  it.each([
    ["changed in the middle", "0123x56789", sha256("x567")],
    ["cut short", "01234567", sha256("")],
    ["cut short inside the last shard", "012345678", sha256("8")],
  ])("tells a file that was %s, with the digests of that shard", (_name, content) => {
    expect(verifyShards(content)).toMatchObject({
      outcome: "tampered",
      differences: [
        { path: "a.md", change: "modified", signed: expect.stringMatching(/^sha256:/) as string },
      ],
    });
  });

  it("tells a file that has grown, and one that is missing, which have no digest to show", () => {
    expect(verifyShards("0123456789+")).toMatchObject({
      differences: [{ path: "a.md", change: "modified" }],
    });
    const missing = verifyShards("", { files: { "b.md": "" } });
    expect(missing).toHaveProperty("differences", [{ path: "a.md", change: "missing" }]);
  });

  it("names empty files, which shards leave out, and counts others as added", () => {
    expect(verifyShards("", { files: { "a.md": "0123456789", "b.md": "" } })).toMatchObject({
      outcome: "signed",
      unlisted: ["b.md"],
    });
    const added = verifyShards("", { files: { "a.md": "0123456789", "b.md": "x" } });
    expect(added).toMatchObject({ differences: [{ path: "b.md", change: "added" }] });
  });

  it.each<[string, readonly string[]]>([
    ["a gap", ["a.md:0:4", "a.md:8:10"]],
    ["an overlap", ["a.md:0:4", "a.md:3:7"]],
    ["the same shard twice", ["a.md:0:4", "a.md:0:4"]],
    ["a short shard in the middle", ["a.md:0:3", "a.md:4:8"]],
    ["a shard that is too long", ["a.md:0:5"]],
    ["an empty shard", ["a.md:0:0"]],
    ["an end before the start", ["a.md:4:2"]],
    ["no range", ["a.md"]],
    ["a colon in the path", ["a:b:0:4"]],
    ["a number with leading zeros", ["a.md:00:4"]],
    ["a negative number", ["a.md:-4:0"]],
    ["a path that leaves the folder", ["../a.md:0:4"]],
  ])("refuses %s", (_name, names) => {
    const resources = names.map((name) => ({ name, algorithm: "sha256-sharded-4", digest: sha256("x") }));
    expect(verifyShards("0123456789", { resources })).toMatchObject({ fault: "MANIFEST_MALFORMED" });
  });

  it.each([0, -1, 1.5, "4", null, 1e300])("refuses the shard size %s", (size) => {
    const evidence = verifyShards("0123456789", { serialization: { method: "shards", shard_size: size } });
    expect(evidence).toMatchObject({ fault: "MANIFEST_MALFORMED" });
  });

  it("refuses an algorithm of another shard size", () => {
    const evidence = verifyShards("0123456789", { serialization: { method: "shards", shard_size: 5 } });
    expect(evidence).toMatchObject({ fault: "MANIFEST_MALFORMED" });
  });
});

describe("verifySignature of model-signing 0.2", () => {
  const predicateType = "https://model_signing/Digests/v0.1";
  const subjects = Object.entries(files).map(([name, text]) => ({
    name,
    digest: { sha256: sha256(text) },
    annotations: { actual_hash_algorithm: "file-sha256" },
  }));
  const verifyLegacy = (subject: readonly object[], tree: TestFiles = files): SignatureEvidence =>
    verifyDraft({
      files: tree,
      legacy: true,
      statement: { predicateType, predicate: { unused: "" }, subject },
    });

  it("accepts one subject for each file, and works the digest out", () => {
    expect(verifyLegacy(subjects)).toMatchObject({ outcome: "signed", digest: `sha256:${rootOf(listed)}` });
    expect(verifyLegacy(subjects, { ...files, "x.py": "" })).toMatchObject({
      differences: [{ path: "x.py", change: "added" }],
    });
  });

  it.each<[string, readonly object[], string]>([
    ["no subjects", [], "MANIFEST_MALFORMED"],
    ["a name twice", [...subjects, ...subjects], "MANIFEST_MALFORMED"],
    ["a name that leaves the folder", [{ ...subjects[0]!, name: "../x" }], "MANIFEST_MALFORMED"],
    ["an unknown field", [{ ...subjects[0]!, uri: "x" }], "MANIFEST_MALFORMED"],
    [
      "another digest",
      [{ ...subjects[0]!, annotations: { actual_hash_algorithm: "file-blake2" } }],
      "UNSUPPORTED_FORMAT",
    ],
  ])("refuses %s", (_name, subject, fault) => {
    expect(verifyLegacy(subject)).toMatchObject({ outcome: "untrusted", fault });
  });
});
