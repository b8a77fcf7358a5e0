import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SignatureError } from "../../../../../src/signature/signature-error.ts";
import { publicGoodRoot } from "../../../../../src/signature/sigstore/root/public-good-root.ts";
import {
  maxTrustedRootLength,
  readTrustedRoot,
} from "../../../../../src/signature/sigstore/root/trusted-root.ts";
import { edited, placesOf, type Edit } from "../../../../fixtures/edited.ts";
import { runs } from "../../../../fixtures/property-runs.ts";

const read = (text: string) => readTrustedRoot(text, ["r/s"]);

const root = JSON.parse(publicGoodRoot) as object;
const changed = (edits: Readonly<Record<string, Edit>>): string => JSON.stringify(edited(root, edits));

describe("readTrustedRoot", () => {
  it("reads the public instance's root, with both its logs and its timestamp authority", () => {
    const { names, fingerprint, authorities } = read(publicGoodRoot);
    expect(names).toEqual(["r/s"]);
    expect(fingerprint).toMatch(/^[0-9a-f]{64}$/);
    expect(authorities.tlogs.map(({ baseURL }) => baseURL)).toEqual([
      "https://rekor.sigstore.dev",
      "https://log2025-1.rekor.sigstore.dev",
    ]);
    expect(authorities.certificateAuthorities).toHaveLength(2);
    expect(authorities.timestampAuthorities).toHaveLength(1);
  });

  it("takes a root without timestamp authorities, and another text for another root", () => {
    const other = read(changed({ timestampAuthorities: undefined }));
    expect(other.authorities.timestampAuthorities).toEqual([]);
    expect(other.fingerprint).not.toBe(read(publicGoodRoot).fingerprint);
  });

  it("takes a log alone, by which signatures of keys are proved", () => {
    const { authorities } = read(changed({ certificateAuthorities: [], ctlogs: undefined }));
    expect(authorities.tlogs).toHaveLength(2);
    expect(authorities.certificateAuthorities).toEqual([]);
  });

  const log = "tlogs.0.publicKey";
  const authority = "certificateAuthorities.0";

  it.each<[string, Readonly<Record<string, Edit>>, string]>([
    ["an unknown field", { extra: 1 }, "unknown field"],
    ["another media type", { mediaType: "application/json" }, "media type"],
    ["no logs", { tlogs: [] }, "no tlogs"],
    ["no certificate logs", { ctlogs: undefined }, "no ctlogs"],
    ["no authorities", { certificateAuthorities: [] }, "no certificateAuthorities"],
    ["too many logs", { tlogs: Array.from({ length: 33 }, () => ({})) }, "more than 32"],
    ["a log without a start", { [`${log}.validFor.start`]: undefined }, "tlogs[0].publicKey.validFor.start"],
    ["a log without a validity", { [`${log}.validFor`]: undefined }, "validFor is missing"],
    ["a certificate log without a start", { "ctlogs.0.publicKey.validFor": {} }, "ctlogs[0]"],
    [
      "an authority without a start",
      { [`${authority}.validFor.start`]: undefined },
      "certificateAuthorities[0].validFor.start",
    ],
    [
      "a timestamp authority without a start",
      { "timestampAuthorities.0.validFor.start": undefined },
      "timestampAuthorities[0].validFor.start",
    ],
    ["a time that is none", { [`${log}.validFor.end`]: "tomorrow" }, "validFor.end"],
    ["a key that is not checked", { [`${log}.keyDetails`]: "PKIX_ECDSA_P384_SHA_384" }, "keyDetails"],
    ["another digest", { "tlogs.0.hashAlgorithm": "SHA2_512" }, "hashAlgorithm"],
    ["a log without a name", { "tlogs.0.logId": undefined }, "logId"],
    ["a key that is none", { [`${log}.rawBytes`]: "AAAA" }, "cannot be read"],
    [
      "a certificate that is none",
      { [`${authority}.certChain.certificates.0.rawBytes`]: "AAAA" },
      "certificates[0]",
    ],
    ["an authority without certificates", { [`${authority}.certChain.certificates`]: [] }, "is empty"],
  ])("refuses %s", (_what, edits, detail) => {
    expect(() => read(changed(edits))).toThrow(SignatureError);
    expect(() => read(changed(edits))).toThrow(detail);
  });

  it.each<[string, string, string]>([
    ["a key twice", publicGoodRoot.replace("{", '{"tlogs": [],'), "same key twice"],
    ["what is no JSON", "trusted root", "not JSON"],
    ["a list", "[]", "not an object"],
    ["a text that is too long", " ".repeat(maxTrustedRootLength + 1), "longer than"],
  ])("refuses %s", (_what, text, detail) => {
    expect(() => read(text)).toThrow(detail);
  });

  it("throws nothing but SignatureError, whatever stands in any place of it", () => {
    fc.assert(
      fc.property(fc.constantFrom(...placesOf(root)), fc.jsonValue(), (path, value) => {
        const text = changed({ [path]: () => value });
        try {
          expect(read(text).fingerprint).toHaveLength(64);
        } catch (error) {
          expect(error).toBeInstanceOf(SignatureError);
        }
      }),
      runs(200),
    );
  });
});
