import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseBundle } from "../../../../src/signature/sigstore/bundle.ts";
import { preAuthEncoding } from "../../../../src/signature/sigstore/dsse.ts";
import { SignatureError } from "../../../../src/signature/signature-error.ts";
import { verifyKeyless } from "../../../../src/signature/sigstore/keyless.ts";
import { publicGoodRoot } from "../../../../src/signature/sigstore/root/public-good-root.ts";
import { readTrustedRoot } from "../../../../src/signature/sigstore/root/trusted-root.ts";
import { corpus, readJson } from "../../../fixtures/corpus.ts";

const folder = `${corpus}/sigstore-bundles`;
const payloadType = "application/vnd.in-toto+json";

interface Expected {
  readonly valid: boolean;
  readonly identity?: string;
  readonly issuer?: string;
}

const expected = readJson(`${folder}/expected.json`) as Readonly<Record<string, Expected>>;
const names = readdirSync(folder).filter((name) => existsSync(`${folder}/${name}/bundle.sigstore.json`));
const rootFile = (name: string): string => `${folder}/${name}/trusted_root.json`;
const rootOf = (name: string) =>
  readTrustedRoot(existsSync(rootFile(name)) ? readFileSync(rootFile(name), "utf8") : publicGoodRoot, ["r"]);

/** The proved signer of a bundle, or the refusal. */
function prove(name: string): string {
  try {
    const bundle = parseBundle(readFileSync(`${folder}/${name}/bundle.sigstore.json`));
    if (bundle.material.kind !== "keyless") return "not keyless";
    const signed = { payloadType, encoded: preAuthEncoding(payloadType, bundle.payload) };
    const trust = { version: "1", anchors: [], keys: [], sigstore: [rootOf(name)] };
    const { signer, refusal } = verifyKeyless(bundle.material, bundle, signed, trust);
    return refusal === undefined ? signer.identity : refusal.code;
  } catch (error) {
    if (error instanceof SignatureError) return error.code;
    throw error;
  }
}

describe("verifyKeyless on the conformance suite's bundles around statements", () => {
  it("proves the one of Rekor 2, by its own identity", () => {
    expect(prove("rekor2-dsse-happy-path")).toBe(expected["rekor2-dsse-happy-path"]?.identity);
  });

  it.each([
    ["dsse-mismatch-envelope_fail", /^(?:BAD_SIGNATURE|UNTRUSTED_SIGNER)$/],
    ["dsse-mismatch-sig_fail", /^UNTRUSTED_SIGNER$/],
    ["rekor2-dsse-mismatch-envelope_fail", /^(?:BAD_SIGNATURE|UNTRUSTED_SIGNER)$/],
    ["rekor2-dsse-mismatch-sig_fail", /^UNTRUSTED_SIGNER$/],
    ["intoto-missing-inclusion-proof_fail", /^UNSUPPORTED_FORMAT$/],
    ["intoto-expired-certificate_fail", /./],
    ["intoto-set-outside-signing-cert-validity_fail", /./],
  ])("refuses %s", (name, code) => {
    expect(expected[name]?.valid).toBe(false);
    expect(prove(name)).toMatch(code);
    expect(prove(name)).not.toMatch(/@|:/);
  });

  it("proves none that the suite refuses", () => {
    const refused = names.filter((name) => expected[name]?.valid === false);
    expect(refused.length).toBeGreaterThan(30);
    for (const name of refused) expect(prove(name), name).not.toMatch(/@|:/);
  });
});

describe("readTrustedRoot on the conformance suite's roots", () => {
  it("reads all but the one whose log does not say from when on it is trusted", () => {
    const roots = names.filter((name) => existsSync(rootFile(name)));
    expect(roots.length).toBeGreaterThan(10);
    for (const name of roots) {
      if (name === "trust-root-tlog-missing-validity-start_fail") {
        expect(() => rootOf(name)).toThrow("validFor.start");
      } else expect(rootOf(name).fingerprint, name).toHaveLength(64);
    }
  });
});
