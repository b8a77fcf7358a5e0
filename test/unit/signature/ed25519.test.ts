import { createPublicKey, generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import { describe, expect, it } from "vitest";
import { ed25519KeyFault, verifyEd25519 } from "../../../src/signature/ed25519.ts";
import { keyHint } from "../../../src/signature/key.ts";
import { verifySignature } from "../../../src/signature/verify.ts";
import { trustOf } from "../../fixtures/certificates.ts";
import { bundleOf, signedSkill, withFiles } from "../../fixtures/signed-skill.ts";

/** Arithmetic of the curve edwards25519 (RFC 8032, 5.1), to compute the points of small order independently. */
const p = 2n ** 255n - 19n;
const order = 2n ** 252n + 27742317777372353535851937790883648493n;
const mod = (value: bigint): bigint => ((value % p) + p) % p;

function power(base: bigint, exponent: bigint): bigint {
  let [result, square] = [1n, mod(base)];
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = mod(result * square);
    square = mod(square * square);
  }
  return result;
}

const inverse = (value: bigint): bigint => power(value, p - 2n);
const d = mod(-121665n * inverse(121666n));

type Point = readonly [x: bigint, y: bigint];

function add([x1, y1]: Point, [x2, y2]: Point): Point {
  const product = mod(d * x1 * x2 * y1 * y2);
  return [mod((x1 * y2 + x2 * y1) * inverse(1n + product)), mod((y1 * y2 + x1 * x2) * inverse(1n - product))];
}

function pointWith(y: bigint): Point | undefined {
  const square = mod((y * y - 1n) * inverse(d * y * y + 1n));
  let x = power(square, (p + 3n) / 8n);
  if (mod(x * x) !== square) x = mod(x * power(2n, (p - 1n) / 4n));
  return mod(x * x) === square ? [x, y] : undefined;
}

const encode = (y: bigint, sign: 0n | 1n): Buffer =>
  Buffer.from((y + (sign << 255n)).toString(16).padStart(64, "0"), "hex").reverse();

const keyFrom = (encoded: Buffer): KeyObject =>
  createPublicKey({
    key: Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), encoded]),
    format: "der",
    type: "spki",
  });

/** `y` of every point whose order divides 8: any point times the order of the prime group is one. */
function smallOrdinates(): ReadonlySet<bigint> {
  const found = new Set<bigint>();
  for (let y = 2n; found.size < 5; y += 1n) {
    let base = pointWith(y);
    if (base === undefined) continue;
    let sum: Point = [0n, 1n];
    for (let rest = order; rest > 0n; rest >>= 1n) {
      if (rest & 1n) sum = add(sum, base);
      base = add(base, base);
    }
    found.add(sum[1]);
  }
  return found;
}

const { privateKey, publicKey } = generateKeyPairSync("ed25519");
const message = Buffer.from("manifest");

describe("ed25519KeyFault", () => {
  it("finds nothing wrong with keys that were made", () => {
    for (let at = 0; at < 50; at += 1)
      expect(ed25519KeyFault(generateKeyPairSync("ed25519").publicKey)).toBeUndefined();
  });

  it("refuses every point of small order, under either sign", () => {
    const all = smallOrdinates();
    expect(all.size).toBe(5);
    for (const y of all) {
      for (const bit of [0n, 1n] as const)
        expect(ed25519KeyFault(keyFrom(encode(y, bit))), y.toString(16)).toMatch(/small order/);
    }
  });

  it("refuses a second way to write a point, and takes the neighbours", () => {
    for (let y = p; y < 2n ** 255n; y += 1n) {
      for (const bit of [0n, 1n] as const)
        expect(ed25519KeyFault(keyFrom(encode(y, bit))), y.toString(16)).toMatch(/one form/);
    }
    expect(ed25519KeyFault(keyFrom(encode(p - 2n, 0n)))).toBeUndefined();
    expect(ed25519KeyFault(keyFrom(encode(2n, 1n)))).toBeUndefined();
  });
});

describe("verifyEd25519", () => {
  const signature = sign(null, message, privateKey);

  it("accepts the signature that was made, and no bit of another", () => {
    expect(verifyEd25519(publicKey, message, signature)).toBe(true);
    for (let bit = 0; bit < signature.length * 8; bit += 1) {
      const flipped = Buffer.from(signature);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      expect(verifyEd25519(publicKey, message, flipped), `bit ${bit}`).toBe(false);
    }
    expect(verifyEd25519(publicKey, Buffer.from("manifesT"), signature)).toBe(false);
  });

  it("refuses the same signature with the group's order added to S", () => {
    const s = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString("hex")}`);
    expect(s).toBeLessThan(order);
    const raised = Buffer.concat([signature.subarray(0, 32), encode(s + order, 0n)]);
    expect(verifyEd25519(publicKey, message, raised)).toBe(false);
  });

  it.each([0, 1, 63, 65, 128])("refuses a signature of %i bytes", (length) => {
    expect(verifyEd25519(publicKey, message, Buffer.alloc(length, 1))).toBe(false);
  });

  it("says no, and does not throw, for a key of another kind", () => {
    const { publicKey: other } = generateKeyPairSync("x25519");
    expect(verifyEd25519(other, message, signature)).toBe(false);
    const { publicKey: ec } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    expect(verifyEd25519(ec, message, signature)).toBe(false);
  });
});

describe("OpenSSF Model Signing beside Ed25519 keys", () => {
  const { skill, signature, key } = signedSkill();
  const withHint = (publicKey: object) => {
    const text = JSON.stringify({ ...bundleOf(signature), verificationMaterial: { publicKey } });
    return withFiles(skill, { "skill.oms.sig": text });
  };

  it("says that such a key cannot verify it, when the bundle names one", () => {
    const evidence = verifySignature(
      withHint({ hint: keyHint(publicKey) }),
      trustOf({ keys: [publicKey] }),
      0,
    );
    expect(evidence).toMatchObject({ outcome: "untrusted", fault: "UNSUPPORTED_FORMAT" });
    expect(evidence).toHaveProperty("detail", expect.stringContaining("P-256, P-384 and P-521 can"));
  });

  it("tries none of them, so that they push out no key that could have signed", () => {
    const many = Array.from({ length: 40 }, () => generateKeyPairSync("ed25519").publicKey);
    const keys = [...many, createPublicKey(key)];
    expect(verifySignature(withHint({}), trustOf({ keys }), 0).outcome).toBe("signed");
    expect(verifySignature(withHint({}), trustOf({ keys: many }), 0).outcome).toBe("untrusted");
  });
});
