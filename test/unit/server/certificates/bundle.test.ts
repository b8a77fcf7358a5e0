import { describe, expect, it } from "vitest";

import { certificatesIn, issuerIn, joinBundles } from "../../../../src/server/certificates/bundle.ts";
import { issuer } from "../../../../src/server/certificates/issuer.ts";

const now = Date.UTC(2026, 0, 1);
const day = 86_400_000;
const authority = async (notAfter = now + day): Promise<string> =>
  (await issuer.authority({ notBefore: now - 2 * day, notAfter })).cert;
const parts = (bundle: string): readonly string[] => [...certificatesIn(bundle)].sort();

describe("joinBundles", () => {
  it("keeps what callers trust already beside what is ours, in the same order for every replica", async () => {
    const [old, next] = [await authority(), await authority()];
    const joined = joinBundles(next, old, now);
    expect(parts(joined)).toEqual(parts(old + next));
    expect(joinBundles(old, next, now)).toBe(joined);
    expect(joinBundles(next, joined, now)).toBe(joined);
  });

  it("leaves out what has ended, what is no authority and what is no certificate", async () => {
    const ours = await authority();
    const signer = await issuer.authority({ notBefore: now - day, notAfter: now + day });
    const leaf = await issuer.leaf(signer, ["a.svc"], { notBefore: now - day, notAfter: now + day });
    const garbled = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    const registered = (await authority(now)) + leaf.cert + garbled + "text";
    expect(parts(joinBundles(ours, registered, now))).toEqual(parts(ours));
  });

  it("keeps four at most, and all of ours", async () => {
    const many = await Promise.all([1, 2, 3, 4, 5, 6].map(() => authority()));
    const [first = "", ...others] = many;
    const joined = parts(joinBundles(first, others.join(""), now));
    expect(joined).toHaveLength(4);
    expect(joined).toContain(parts(first)[0]);
    expect(parts(joinBundles(many.join(""), "", now))).toHaveLength(6);
  });

  it("is empty where nothing is to be published", async () => {
    expect(joinBundles(undefined, await authority(), now)).toBe("");
  });
});

describe("issuerIn", () => {
  it("finds who issued a chain's leaf, or what stands above it, and nobody else", async () => {
    const span = { notBefore: now - day, notAfter: now + day };
    const [signer, other] = [await issuer.authority(span), await issuer.authority(span)];
    const leaf = await issuer.leaf(signer, ["a.svc"], span);
    const bundle = `${other.cert}${signer.cert}`;
    expect(issuerIn(bundle, leaf.cert)?.toString().trim()).toBe(signer.cert.trim());
    expect(issuerIn(bundle, `${other.cert}${leaf.cert}`)).toBeDefined();
    expect(issuerIn(other.cert, leaf.cert)).toBeUndefined();
    for (const [some, chain] of [
      ["", leaf.cert],
      [bundle, ""],
      ["garbled", "garbled"],
    ] as const)
      expect(issuerIn(some, chain)).toBeUndefined();
  });
});
