import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { compileObjects } from "../../../fixtures/compile.ts";
import { sha256 } from "../../../../src/skill/digest.ts";
import { rootObject } from "../builders.ts";

const pemOf = (): string =>
  generateKeyPairSync("ed25519").publicKey.export({ type: "spki", format: "pem" }).toString();

const fingerprintOf = (pem: string): string =>
  sha256(createPublicKey(pem).export({ type: "spki", format: "der" }));

/** Trust roots of at most 30 keys each, in the order of their fingerprints. */
const ordered = (count: number) =>
  Array.from({ length: count }, pemOf)
    .map((pem) => ({ pem, fingerprint: fingerprintOf(pem) }))
    .sort((one, other) => (one.fingerprint < other.fingerprint ? -1 : 1))
    .map(({ pem }, index) => ({ name: `k${index}`, pem }));

describe("unusedKeys", () => {
  it("says nothing of as many keys as are tried", () => {
    const keys = ordered(32);
    const roots = [rootObject({ keys: keys.slice(0, 16) }, "a"), rootObject({ keys: keys.slice(16) }, "b")];
    expect(compileObjects([], roots).trustNotes).toEqual([]);
  });

  it("names those beyond, at the trust root that has them", () => {
    const keys = ordered(34);
    const roots = [rootObject({ keys: keys.slice(0, 17) }, "a"), rootObject({ keys: keys.slice(17) }, "b")];
    expect(compileObjects([], roots).trustNotes).toEqual([
      {
        name: "b",
        message: expect.stringMatching(/not tried with k32, k33: of the 34 Ed25519 keys/) as string,
      },
    ]);
  });

  it("does not count keys on curves, which signatures name", () => {
    const curves = Array.from({ length: 8 }, (_, index) => ({
      name: `c${index}`,
      pem: generateKeyPairSync("ec", { namedCurve: "P-256" })
        .publicKey.export({ type: "spki", format: "pem" })
        .toString(),
    }));
    const roots = [
      rootObject({ keys: [...curves, ...ordered(24)] }, "a"),
      rootObject({ keys: ordered(8) }, "b"),
    ];
    expect(compileObjects([], roots).trustNotes).toEqual([]);
  });
});
