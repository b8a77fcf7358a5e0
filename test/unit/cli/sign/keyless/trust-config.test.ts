import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UsageError } from "../../../../../src/cli/command-line.ts";
import { readTrustConfig } from "../../../../../src/cli/sign/keyless/trust-config.ts";
import { SignatureError } from "../../../../../src/signature/signature-error.ts";
import { publicGoodRoot } from "../../../../../src/signature/sigstore/root/public-good-root.ts";
import { readTrustedRoot } from "../../../../../src/signature/sigstore/root/trusted-root.ts";
import { edited, placesOf, type Edit } from "../../../../fixtures/edited.ts";
import { runs } from "../../../../fixtures/property-runs.ts";

const now = Date.parse("2026-06-01T00:00:00Z");
const service = (url: string, validFor: object = { start: "2024-01-01T00:00:00Z" }) => ({
  url,
  majorApiVersion: 1,
  validFor,
  operator: "example.com",
});
const good = {
  mediaType: "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
  trustedRoot: JSON.parse(publicGoodRoot) as object,
  signingConfig: {
    mediaType: "application/vnd.dev.sigstore.signingconfig.v0.2+json",
    caUrls: [service("https://fulcio.example.com")],
    oidcUrls: [service("https://oauth.example.com")],
    rekorTlogUrls: [service("https://rekor.example.com")],
    rekorTlogConfig: { selector: "ANY" },
    tsaUrls: [service("https://tsa.example.com/api/v1/timestamp")],
    tsaConfig: { selector: "ANY" },
  },
};
const read = (edits: Readonly<Record<string, Edit>> = {}) =>
  readTrustConfig(JSON.stringify(edited(good, edits)), now);

describe("readTrustConfig", () => {
  it("reads where to sign, and what proves it", () => {
    const { config, root } = read();
    expect(config.caUrls.map(({ url }) => url)).toEqual(["https://fulcio.example.com"]);
    expect(config.tsaUrls.map(({ url }) => url)).toEqual(["https://tsa.example.com/api/v1/timestamp"]);
    const { authorities } = readTrustedRoot(publicGoodRoot, []);
    expect(root.authorities.tlogs.map(({ logID }) => logID)).toEqual(
      authorities.tlogs.map(({ logID }) => logID),
    );
  });

  it("leaves out services that have ended or have not begun", () => {
    const rekorTlogUrls = [
      service("https://later.example.com", { start: "2026-06-02T00:00:00Z" }),
      service("https://now.example.com", { start: "2026-05-31T00:00:00Z", end: "2026-06-02T00:00:00Z" }),
      service("https://ended.example.com", { start: "2020-01-01T00:00:00Z", end: "2026-05-31T00:00:00Z" }),
      service("https://always.example.com", {}),
    ];
    const { config } = read({ "signingConfig.rekorTlogUrls": rekorTlogUrls });
    expect(config.rekorTlogUrls.map(({ url }) => url)).toEqual([
      "https://now.example.com",
      "https://always.example.com",
    ]);
  });

  it.each<[string, Readonly<Record<string, Edit>>, RegExp]>([
    ["another media type", { mediaType: "application/json" }, /media type is "application\/json"/],
    ["no media type", { mediaType: undefined }, /mediaType is missing/],
    ["no trusted root", { trustedRoot: undefined }, /trustedRoot is missing/],
    ["a trusted root without logs", { "trustedRoot.tlogs": [] }, /no tlogs/],
    ["no signing configuration", { signingConfig: undefined }, /signingConfig is missing/],
    ["an unknown field", { extra: 1 }, /unknown field "extra"/],
    ["an unknown field of a service", { "signingConfig.caUrls.0.extra": 1 }, /unknown field "extra"/],
    ["a service without address", { "signingConfig.caUrls.0.url": undefined }, /caUrls\[0\]\.url is missing/],
    ["a service whose time is none", { "signingConfig.caUrls.0.validFor.start": "soon" }, /is not a time/],
    ["no authority", { "signingConfig.caUrls": undefined }, /caUrls names no service for today/],
    ["no log", { "signingConfig.rekorTlogUrls": [] }, /rekorTlogUrls names no service for today/],
    ["too many services", { "signingConfig.caUrls": Array.from({ length: 33 }, () => 1) }, /more than 32/],
    ["a selector that there is none of", { "signingConfig.tsaConfig.selector": "SOME" }, /cannot be read/],
  ])("refuses one with %s", (_what, edits, message) => {
    expect(() => read(edits)).toThrow(message);
  });

  it("refuses an address that a token must not go to", () => {
    expect(() => read({ "signingConfig.tsaUrls.0.url": "http://tsa.example.com" })).toThrow(UsageError);
  });

  it("answers every change in any place with what it read or with words", () => {
    const places = placesOf(good).filter((place) => place.startsWith("signingConfig"));
    fc.assert(
      fc.property(fc.constantFrom(...places), fc.jsonValue(), (place, value) => {
        try {
          read({ [place]: () => value });
        } catch (error) {
          expect(error instanceof SignatureError || error instanceof UsageError).toBe(true);
        }
      }),
      runs(300),
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(() => readTrustConfig(text, now)).toThrow(SignatureError);
      }),
    );
  });
});
