import { initializeTSA } from "@sigstore/mock";
import fc from "fast-check";
import { createHash, generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { readClientTrustConfig } from "../../../../../src/signature/sigstore/root/client-trust-config.ts";
import { parseArtifactBundle } from "../../../../../src/signature/sigstore/artifact/bundle.ts";
import type { Thresholds } from "../../../../../src/signature/sigstore/root/thresholds.ts";
import {
  maxTrustedRootLength,
  readTrustedRoot,
} from "../../../../../src/signature/sigstore/root/trusted-root.ts";
import { verifyArtifact } from "../../../../../src/signature/sigstore/artifact/verify-artifact.ts";
import { SignatureError } from "../../../../../src/signature/signature-error.ts";
import type { SigstoreRoot } from "../../../../../src/signature/sigstore/root/sigstore-root.ts";
import { edited, placesOf, type Edit, valueAt } from "../../../../fixtures/edited.ts";
import {
  newKey,
  signArtifact,
  trustedKey,
  type ArtifactDraft,
} from "../../../../fixtures/sigstore-artifact.ts";
import { testSigstore } from "../../../../fixtures/sigstore.ts";
import { runs } from "../../../../fixtures/property-runs.ts";

const one = await testSigstore();
const two = await testSigstore();
const artifact = Buffer.from("an artifact");
const key = newKey();
const base64 = ({ buffer, byteOffset, byteLength }: ArrayBufferView): string =>
  Buffer.from(buffer, byteOffset, byteLength).toString("base64");

/** The first instance's root with the logs and timestamp authorities of both. */
const both = edited(one.trustedRoot, {
  tlogs: [valueAt(one.trustedRoot, "tlogs.0"), valueAt(two.trustedRoot, "tlogs.0")],
  timestampAuthorities: [
    valueAt(one.trustedRoot, "timestampAuthorities.0"),
    valueAt(two.trustedRoot, "timestampAuthorities.0"),
  ],
});

const rootOf = (thresholds?: Thresholds, root: object = both): SigstoreRoot =>
  readTrustedRoot(JSON.stringify(root), ["r/s"], thresholds);

function outcomeOf(bundle: object, root: SigstoreRoot): string {
  try {
    const parsed = parseArtifactBundle(Buffer.from(JSON.stringify(bundle)));
    const trust = { keys: [trustedKey(key)], sigstore: [root] };
    const verdict = verifyArtifact(parsed, { bytes: artifact }, trust, Date.now());
    return verdict.outcome === "refused" ? verdict.refusal.message : "proved";
  } catch (error) {
    if (error instanceof SignatureError) return error.message;
    throw error;
  }
}

const material = "verificationMaterial";

/** The same signature in a second log, with the same body. */
async function loggedTwice(bundle: object, log = two): Promise<object> {
  const first = valueAt(bundle, `${material}.tlogEntries.0`);
  const { kind, version } = valueAt(first, "kindVersion") as Readonly<Record<string, string>>;
  const body = Buffer.from(valueAt(first, "canonicalizedBody") as string, "base64").toString();
  const second = await log.log(`${kind} ${version}`, JSON.parse(body) as object);
  return edited(bundle, { [`${material}.tlogEntries`]: [first, second] });
}

const make = (draft: ArtifactDraft = {}): Promise<object> => signArtifact(one, artifact, draft);

describe("tlogThreshold", () => {
  const wanted = { tlog: 2, ctlog: 1 };

  it("asks for different logs", async () => {
    const once = await make();
    expect(outcomeOf(once, rootOf())).toBe("proved");
    expect(outcomeOf(once, rootOf(wanted))).toContain("in 1 of the 2 transparency logs");
    const twice = await loggedTwice(once);
    expect(outcomeOf(twice, rootOf(wanted))).toBe("proved");
    expect(outcomeOf(twice, rootOf())).toBe("proved");
  });

  it("counts two entries in one log as one", async () => {
    const twice = await loggedTwice(await make(), one);
    expect(outcomeOf(twice, rootOf(wanted))).toContain("in 1 of the 2 transparency logs");
  });

  it("holds for keys", async () => {
    const once = await make({ key });
    expect(outcomeOf(once, rootOf(wanted))).toContain("1 of the 2");
    expect(outcomeOf(await loggedTwice(once), rootOf(wanted))).toBe("proved");
  });

  it("takes every entry by its own log: each that is there has to be right", async () => {
    const twice = await loggedTwice(await make());
    const entry = `${material}.tlogEntries.1`;
    for (const path of ["inclusionProof.checkpoint", "canonicalizedBody", "inclusionPromise"]) {
      const stolen = edited(twice, {
        [`${entry}.${path}`]: valueAt(await make(), `${material}.tlogEntries.0.${path}`) as Edit,
      });
      expect(outcomeOf(stolen, rootOf()), path).not.toBe("proved");
    }
    const unknown = edited(twice, { [`${entry}.logId.keyId`]: "AAAA" });
    expect(outcomeOf(unknown, rootOf())).toContain("in no trusted Sigstore root");
  });

  it("of 0 does without a log, never without a time", async () => {
    const none = rootOf({ tlog: 0, ctlog: 1 });
    const stamped = await make({ entry: null, timestamp: true });
    expect(outcomeOf(stamped, none)).toBe("proved");
    expect(outcomeOf(stamped, rootOf())).toContain("in 0 of the 1 transparency logs");
    expect(outcomeOf(await make({ entry: null }), none)).toContain("its time is stated by 0");
  });
});

describe("timestampThreshold", () => {
  const wanted = { tlog: 1, ctlog: 1, timestamp: 2 };

  it("asks for different clocks: timestamp authorities, or a log that states the time", async () => {
    const promised = await make();
    expect(outcomeOf(promised, rootOf(wanted))).toContain("its time is stated by 1");
    expect(outcomeOf(await make({ timestamp: true }), rootOf(wanted))).toBe("proved");
    expect(outcomeOf(await make({ entry: "hashedrekord 0.0.2" }), rootOf(wanted))).toContain("stated by 1");
  });

  it("counts two timestamps of one authority as one", async () => {
    // All authorities of this library share name and serial number: two of them count as one, seconds apart.
    const clock = new Date((Math.floor(Date.now() / 1000) + 90) * 1000);
    const later = await initializeTSA(generateKeyPairSync("ec", { namedCurve: "P-384" }), clock);
    const chain = [later.intCertificate, later.rootCertificate].map((der) => ({
      rawBytes: base64(der),
    }));
    const known = valueAt(one.trustedRoot, "timestampAuthorities.0") as object;
    const root = edited(one.trustedRoot, {
      timestampAuthorities: [known, edited(known, { "certChain.certificates": chain })],
    });
    const bundle = await make({ entry: "hashedrekord 0.0.2" });
    const signature = Buffer.from(valueAt(bundle, "messageSignature.signature") as string, "base64");
    const stamp = await later.timestamp({
      artifactHash: createHash("sha256").update(signature).digest(),
      hashAlgorithmOID: "2.16.840.1.101.3.4.2.1",
      nonce: 1,
      policyOID: "1.3.6.1.4.1.57264.2",
    });
    const list = `${material}.timestampVerificationData.rfc3161Timestamps`;
    const twice = edited(bundle, {
      [`${list}.1`]: { signedTimestamp: base64(stamp) },
    });
    expect(outcomeOf(twice, rootOf(undefined, root))).toBe("proved");
    expect(outcomeOf(twice, rootOf(wanted, root))).toContain("its time is stated by 1");
  });

  it("asks nothing of keys where it is left out, and the same of them where it is not", async () => {
    const timeless = await make({ key, entry: "hashedrekord 0.0.2", timestamp: false });
    expect(outcomeOf(timeless, rootOf())).toBe("proved");
    expect(outcomeOf(timeless, rootOf({ tlog: 1, ctlog: 1, timestamp: 1 }))).toContain(
      "its time is stated by 0",
    );
  });
});

describe("ctlogThreshold", () => {
  it("asks for the certificate log's word", async () => {
    const bundle = await make();
    expect(outcomeOf(bundle, rootOf({ tlog: 1, ctlog: 1 }))).toBe("proved");
    const logs = [valueAt(one.trustedRoot, "ctlogs.0"), valueAt(two.trustedRoot, "ctlogs.0")];
    const more = edited(both, { ctlogs: logs });
    expect(outcomeOf(bundle, rootOf({ tlog: 1, ctlog: 2 }, more))).toContain("expected 2 SCTs, got 1");
  });

  it("of 0 takes an instance without certificate logs", () => {
    const without = edited(both, { ctlogs: [] });
    expect(() => rootOf(undefined, without)).toThrow("no ctlogs");
    expect(rootOf({ tlog: 1, ctlog: 0 }, without).authorities.ctlogs).toEqual([]);
  });
});

describe("readTrustedRoot with thresholds", () => {
  it.each<[string, Thresholds, object, string]>([
    ["more logs than there are", { tlog: 3, ctlog: 1 }, both, "3 transparency logs"],
    ["more certificate logs than there are", { tlog: 1, ctlog: 2 }, both, "2 certificate logs"],
    ["more clocks than there are", { tlog: 1, ctlog: 1, timestamp: 5 }, both, "5 timestamp authorities"],
    [
      "two logs where one has two keys",
      { tlog: 2, ctlog: 1 },
      edited(one.trustedRoot, {
        tlogs: [valueAt(one.trustedRoot, "tlogs.0"), valueAt(one.trustedRoot, "tlogs.0")],
      }),
      "2 transparency logs are asked for, and the trusted root has 1",
    ],
  ])("refuses %s", (_what, thresholds, root, detail) => {
    expect(() => rootOf(thresholds, root)).toThrow(SignatureError);
    expect(() => rootOf(thresholds, root)).toThrow(detail);
  });

  it("tells roots apart that ask for different things, and only those", () => {
    const prints = [
      rootOf(),
      rootOf({ tlog: 2, ctlog: 1 }),
      rootOf({ tlog: 1, ctlog: 0 }),
      rootOf({ tlog: 1, ctlog: 1, timestamp: 1 }),
      rootOf({ tlog: 1, ctlog: 1, timestamp: 2 }),
    ].map(({ fingerprint }) => fingerprint);
    expect(new Set(prints).size).toBe(prints.length);
    expect(rootOf({ tlog: 1, ctlog: 1 }).fingerprint).toBe(prints[0]);
  });

  it("takes an instance without a log, where none is asked for", () => {
    const without = edited(both, { tlogs: [] });
    expect(() => rootOf(undefined, without)).toThrow("no tlogs");
    expect(rootOf({ tlog: 0, ctlog: 1 }, without).authorities.tlogs).toEqual([]);
  });
});

describe("readClientTrustConfig", () => {
  const config = {
    mediaType: "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
    trustedRoot: one.trustedRoot,
    signingConfig: { mediaType: "application/vnd.dev.sigstore.signingconfig.v0.2+json", caUrls: [{}] },
  };
  const read = (value: object, thresholds?: Thresholds) =>
    readClientTrustConfig(JSON.stringify(value), ["r/s"], thresholds);

  it("takes the trusted root, and looks at nothing else", async () => {
    const root = read(config);
    expect(root.names).toEqual(["r/s"]);
    expect(outcomeOf(await make(), root)).toBe("proved");
    expect(read(edited(config, { signingConfig: undefined })).fingerprint).toBe(root.fingerprint);
    expect(read(edited(config, { "signingConfig.caUrls": "anything" })).fingerprint).toBe(root.fingerprint);
    expect(read(edited(config, { trustedRoot: two.trustedRoot })).fingerprint).not.toBe(root.fingerprint);
  });

  it("holds its root to the thresholds", () => {
    expect(() => read(config, { tlog: 2, ctlog: 1 })).toThrow("2 transparency logs");
  });

  it.each<[string, Readonly<Record<string, Edit>>, string]>([
    ["another media type", { mediaType: "application/json" }, "media type"],
    ["no media type", { mediaType: undefined }, "mediaType is missing"],
    ["an unknown field", { extra: 1 }, "unknown field"],
    ["no trusted root", { trustedRoot: undefined }, "trustedRoot is missing"],
    ["a trusted root that is text", { trustedRoot: "{}" }, "not an object"],
    ["a trusted root that is none", { "trustedRoot.tlogs": [] }, "no tlogs"],
    [
      "a log without a start",
      { "trustedRoot.tlogs.0.publicKey.validFor.start": undefined },
      "tlogs[0].publicKey.validFor.start",
    ],
  ])("refuses %s", (_what, edits, detail) => {
    expect(() => read(edited(config, edits))).toThrow(SignatureError);
    expect(() => read(edited(config, edits))).toThrow(detail);
  });

  it("throws nothing but SignatureError, whatever stands in any place of it", () => {
    fc.assert(
      fc.property(fc.constantFrom(...placesOf(config)), fc.jsonValue(), (path, value) => {
        try {
          expect(read(edited(config, { [path]: () => value })).fingerprint).toHaveLength(64);
        } catch (error) {
          expect(error).toBeInstanceOf(SignatureError);
        }
      }),
      runs(150),
    );
  });

  it.each<[string, string, string]>([
    ["what is no JSON", "client trust config", "not JSON"],
    ["a key twice", JSON.stringify(config).replace("{", '{"trustedRoot":{},'), "same key twice"],
    ["a text that is too long", " ".repeat(maxTrustedRootLength + 1), "longer than"],
  ])("refuses %s", (_what, text, detail) => {
    expect(() => readClientTrustConfig(text, ["r/s"])).toThrow(detail);
  });
});
