import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SignatureError } from "../../../../../src/signature/signature-error.ts";
import { assertSubject, readStatement } from "../../../../../src/signature/sigstore/artifact/statement.ts";
import { edited, placesOf } from "../../../../fixtures/edited.ts";
import { statementAbout } from "../../../../fixtures/sigstore-artifact.ts";
import { runs } from "../../../../fixtures/property-runs.ts";

const [one, two] = ["11".repeat(32), "22".repeat(32)];
const statement = statementAbout(one, two);
const read = (value: unknown) => readStatement(Buffer.from(JSON.stringify(value)));

describe("readStatement", () => {
  it.each(["https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"])("reads %s", (type) => {
    expect(read({ ...statement, _type: type })).toEqual({
      predicateType: "https://example.test/said",
      subjects: [one, two],
    });
  });

  it("leaves subjects out that are named by other digests only", () => {
    const subject = [{ name: "a", digest: { gitCommit: "ab" } }, { digest: { sha256: one, sha512: two } }];
    expect(read({ ...statement, subject }).subjects).toEqual([one]);
  });

  it.each<[string, string, string]>([
    ["what is no JSON", "{", "not JSON"],
    ["a list", "[]", "not an object"],
    ["a member twice", `{"_type":"a","_type":"b"}`, "twice"],
    ["another type", `{"_type":"https://in-toto.io/Statement/v1/"}`, "Statement/v1/"],
  ])("refuses %s", (_what, text, detail) => {
    expect(() => readStatement(Buffer.from(text))).toThrow(SignatureError);
    expect(() => readStatement(Buffer.from(text))).toThrow(detail);
  });

  it("throws nothing but SignatureError, whatever stands in any place of it", () => {
    fc.assert(
      fc.property(fc.constantFrom(...placesOf(statement)), fc.jsonValue(), (path, value) => {
        try {
          const { subjects } = read(edited(statement, { [path]: () => value }));
          for (const subject of subjects) expect(typeof subject).toBe("string");
        } catch (error) {
          expect(error).toBeInstanceOf(SignatureError);
        }
      }),
      runs(200),
    );
  });
});

describe("assertSubject", () => {
  const parsed = read(statement);

  it("finds each of the subjects", () => {
    for (const digest of [one, two]) expect(() => assertSubject(parsed, digest)).not.toThrow();
  });

  it.each(["33".repeat(32), one.slice(2), `${one}11`, "", "constructor"])("refuses %s", (digest) => {
    expect(() => assertSubject(parsed, digest)).toThrow("other artifacts");
  });
});
