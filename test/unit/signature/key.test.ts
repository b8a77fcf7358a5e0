import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { keyFingerprint, keyHint } from "../../../src/signature/key.ts";
import { compressed } from "../../fixtures/malleable-fingerprint.ts";

describe("keyFingerprint and keyHint", () => {
  it("call a key the same, however its point is written", () => {
    const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const short = createPublicKey({ key: compressed(publicKey), format: "der", type: "spki" });
    expect(short.export({ type: "spki", format: "der" }).byteLength).toBe(59);
    expect(keyFingerprint(short)).toBe(keyFingerprint(publicKey));
    expect(keyHint(short)).toBe(keyHint(publicKey));
  });

  it.each(["prime256v1", "secp384r1", "secp521r1"])(
    "call a key on %s the same, also where its curve is written by its parameters",
    (namedCurve) => {
      const { publicKey: pem } = generateKeyPairSync("ec", {
        namedCurve,
        paramEncoding: "explicit",
        publicKeyEncoding: { type: "spki", format: "pem" },
        privateKeyEncoding: { type: "pkcs8", format: "pem" },
      });
      const explicit = createPublicKey(pem);
      const plain = createPublicKey({ key: explicit.export({ format: "jwk" }), format: "jwk" });
      expect(keyFingerprint(explicit)).toBe(keyFingerprint(plain));
      const { publicKey: other } = generateKeyPairSync("ec", { namedCurve });
      expect(keyFingerprint(other)).not.toBe(keyFingerprint(plain));
    },
  );

  it("work for keys of other kinds", () => {
    for (const { publicKey } of [
      generateKeyPairSync("ed25519"),
      generateKeyPairSync("rsa", { modulusLength: 2048 }),
    ])
      expect(keyFingerprint(publicKey)).toMatch(/^[0-9a-f]{64}$/);
  });
});
