import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SignatureError } from "../../../../../src/signature/signature-error.ts";
import { parseArtifactBundle } from "../../../../../src/signature/sigstore/artifact/bundle.ts";
import { readLogBody } from "../../../../../src/signature/sigstore/log/body.ts";
import type { LogEntry } from "../../../../../src/signature/sigstore/log/entry.ts";
import { edited, placesOf, type Edit, valueAt } from "../../../../fixtures/edited.ts";
import { runs } from "../../../../fixtures/property-runs.ts";
import {
  newKey,
  sha256Of,
  signArtifact,
  statementAbout,
  type ArtifactDraft,
} from "../../../../fixtures/sigstore-artifact.ts";
import { testSigstore } from "../../../../fixtures/sigstore.ts";

const sigstore = await testSigstore();
const artifact = Buffer.from("an artifact");
const statement = statementAbout(sha256Of(artifact));
const key = newKey();

async function entryOf(draft: ArtifactDraft): Promise<LogEntry> {
  const bundle = await signArtifact(sigstore, artifact, draft);
  return parseArtifactBundle(Buffer.from(JSON.stringify(bundle))).proof.entries[0]!;
}

const bodyOf = ({ canonicalizedBody }: LogEntry): object =>
  JSON.parse(canonicalizedBody.toString()) as object;
const saying = (entry: LogEntry, body: unknown): LogEntry => ({
  ...entry,
  canonicalizedBody: Buffer.from(JSON.stringify(body)),
});

const kinds: readonly [NonNullable<ArtifactDraft["entry"]>, "signed" | "payload"][] = [
  ["hashedrekord 0.0.1", "signed"],
  ["hashedrekord 0.0.2", "signed"],
  ["dsse 0.0.1", "payload"],
  ["dsse 0.0.2", "payload"],
  ["intoto 0.0.2", "payload"],
];

describe.each(kinds)("readLogBody on %s", (kind, of) => {
  it("reads signature, digest and verifier, of certificates and of keys", async () => {
    const spki = key.publicKey.export({ type: "spki", format: "der" });
    expect(readLogBody(await entryOf({ entry: kind, statement, key }))).toMatchObject({
      of,
      digest: { name: "sha256" },
      verifier: { kind: "key", der: spki },
    });
    const byCertificate = readLogBody(await entryOf({ entry: kind, statement }));
    expect(byCertificate).toMatchObject({ of, verifier: { kind: "certificate" } });
    expect(byCertificate.digest.value).toHaveLength(32);
  });

  it("refuses what it is without, whatever that is, and reads the rest or throws SignatureError", async () => {
    const entry = await entryOf({ entry: kind, statement });
    const body = bodyOf(entry);
    const places = placesOf(body).filter((path) => typeof valueAt(body, path) === "string");
    for (const path of places)
      expect(() => readLogBody(saying(entry, edited(body, { [path]: undefined }))), path).toThrow(
        SignatureError,
      );
    fc.assert(
      fc.property(fc.constantFrom(...placesOf(body)), fc.jsonValue(), (path, value) => {
        try {
          expect(readLogBody(saying(entry, edited(body, { [path]: () => value }))).of).toBe(of);
        } catch (error) {
          expect(error).toBeInstanceOf(SignatureError);
        }
      }),
      runs(100),
    );
  });
});

describe("readLogBody", () => {
  const refused: readonly [string, string, Readonly<Record<string, Edit>>, string][] = [
    ["hashedrekord 0.0.1", "another digest", { "spec.data.hash.algorithm": "md5" }, "md5"],
    [
      "hashedrekord 0.0.1",
      "a digest in capitals",
      { "spec.data.hash.value": "AB".repeat(32) },
      "not a digest",
    ],
    ["hashedrekord 0.0.1", "a kind inside", { kind: "dsse" }, "of another kind"],
    ["hashedrekord 0.0.1", "a version inside", { apiVersion: "0.0.2" }, "of another kind"],
    ["hashedrekord 0.0.1", "a key that is no PEM", { "spec.signature.publicKey.content": "QQ==" }, "in PEM"],
    [
      "hashedrekord 0.0.2",
      "another digest",
      { "spec.hashedRekordV002.data.algorithm": "SHA3_256" },
      "SHA3_256",
    ],
    ["dsse 0.0.1", "two signatures", { "spec.signatures.1": {} }, "exactly one signature"],
    ["dsse 0.0.2", "no signature", { "spec.dsseV002.signatures": [] }, "exactly one signature"],
    ["intoto 0.0.2", "two signatures", { "spec.content.envelope.signatures.1": {} }, "exactly one"],
  ];

  it.each(refused)("refuses %s with %s", async (kind, _what, edits, detail) => {
    const entry = await entryOf({ entry: kind as NonNullable<ArtifactDraft["entry"]>, statement });
    const broken = saying(entry, edited(bodyOf(entry), edits));
    expect(() => readLogBody(broken)).toThrow(SignatureError);
    expect(() => readLogBody(broken)).toThrow(detail);
  });

  it("refuses other kinds, two keys of one name, and what is too large", async () => {
    const entry = await entryOf({});
    const other = { ...entry, kindVersion: { kind: "rekord", version: "0.0.1" } };
    expect(() => readLogBody(other)).toThrow('of the kind "rekord 0.0.1"');
    const text = entry.canonicalizedBody.toString().replace("{", '{"kind":"hashedrekord",');
    expect(() => readLogBody({ ...entry, canonicalizedBody: Buffer.from(text) })).toThrow("twice");
    const large = Buffer.concat([entry.canonicalizedBody, Buffer.alloc(65_536, " ")]);
    expect(() => readLogBody({ ...entry, canonicalizedBody: large })).toThrow("too large");
  });
});
