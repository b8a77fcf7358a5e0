import fc from "fast-check";
import { createHash, sign } from "node:crypto";
import { describe, expect, it } from "vitest";
import { verifyEcdsa } from "../../../../src/signature/key.ts";
import { SignatureError } from "../../../../src/signature/signature-error.ts";
import {
  artifactDigest,
  isSignedBy,
  verifyEcdsaDigest,
} from "../../../../src/signature/sigstore/artifact.ts";
import { newEd25519Key, newKey, sha256Of } from "../../../fixtures/sigstore-artifact.ts";
import { runs } from "../../../fixtures/property-runs.ts";

const data = Buffer.from("an artifact");
const digest = createHash("sha256").update(data).digest();
const sha256 = sha256Of(data);

describe("artifactDigest", () => {
  it("is the same by bytes and by digest", () => {
    expect(artifactDigest({ bytes: data }, "sha256")).toEqual(digest);
    expect(artifactDigest({ sha256 }, "sha256")).toEqual(digest);
    expect(artifactDigest({ bytes: data }, "sha384")).toEqual(createHash("sha384").update(data).digest());
  });

  it.each(["sha384", "sha512"] as const)("has no %s where only SHA-256 is known", (name) => {
    expect(() => artifactDigest({ sha256 }, name)).toThrow("give the artifact itself");
  });

  it.each([
    ["short", sha256.slice(2)],
    ["capital", sha256.toUpperCase()],
    ["no", "zz".repeat(32)],
    ["empty", ""],
  ])("refuses %s digests, which would be read as others", (_what, text) => {
    expect(() => artifactDigest({ sha256: text }, "sha256")).toThrow(SignatureError);
  });
});

describe.each(["P-256", "P-384", "P-521"])("verifyEcdsaDigest on %s", (curve) => {
  const { publicKey, privateKey } = newKey(curve);
  const other = newKey(curve).publicKey;
  const signature = sign("sha256", data, privateKey);

  it("takes a signature over the digest, and no other digest or key", () => {
    expect(verifyEcdsaDigest(publicKey, digest, signature)).toBe(true);
    expect(verifyEcdsaDigest(publicKey, createHash("sha256").digest(), signature)).toBe(false);
    expect(verifyEcdsaDigest(other, digest, signature)).toBe(false);
  });

  it("agrees with Node on every signature", () => {
    const changed = fc.tuple(fc.nat(signature.length - 1), fc.nat(7)).map(([at, bit]) => {
      const copy = Buffer.from(signature);
      copy.writeUInt8(copy.readUInt8(at) ^ (1 << bit), at);
      return copy;
    });
    const fresh = fc.constant(0).map(() => sign("sha256", data, privateKey));
    const longer = fc
      .uint8Array({ minLength: 1, maxLength: 4 })
      .map((tail) => Buffer.concat([signature, tail]));
    fc.assert(
      fc.property(fc.oneof(changed, fresh, longer, fc.uint8Array({ maxLength: 150 })), (tried) => {
        expect(verifyEcdsaDigest(publicKey, digest, tried)).toBe(
          verifyEcdsa(publicKey, "sha256", data, tried),
        );
      }),
      runs(60),
    );
  });
});

describe("isSignedBy", () => {
  it("takes a P-384 key's signature with either of its digests by bytes, and SHA-256 by digest", () => {
    const { publicKey, privateKey } = newKey("P-384");
    const [own, older] = [sign("sha384", data, privateKey), sign("sha256", data, privateKey)];
    expect(isSignedBy(publicKey, { bytes: data }, own)).toBe(true);
    expect(isSignedBy(publicKey, { bytes: data }, older)).toBe(true);
    expect(isSignedBy(publicKey, { sha256 }, older)).toBe(true);
    expect(isSignedBy(publicKey, { sha256 }, own)).toBe(false);
    expect(isSignedBy(publicKey, { bytes: data }, sign("sha512", data, privateKey))).toBe(false);
  });

  it("takes Ed25519 by bytes only", () => {
    const { publicKey, privateKey } = newEd25519Key();
    const signature = sign(null, data, privateKey);
    expect(isSignedBy(publicKey, { bytes: data }, signature)).toBe(true);
    expect(isSignedBy(publicKey, { sha256 }, signature)).toBe(false);
    // Also a signature over the digest itself is refused: the digest is another message.
    expect(isSignedBy(publicKey, { sha256 }, sign(null, digest, privateKey))).toBe(false);
  });

  it("takes no other curve", () => {
    const { publicKey, privateKey } = newKey("secp256k1");
    const signature = sign("sha256", data, privateKey);
    expect(isSignedBy(publicKey, { bytes: data }, signature)).toBe(false);
    expect(isSignedBy(publicKey, { sha256 }, signature)).toBe(false);
  });
});
