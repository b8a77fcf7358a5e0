import "reflect-metadata";
import { Extension } from "@peculiar/x509";
import { describe, expect, it } from "vitest";
import { knownChain } from "../../../../src/signature/x509/known-chains.ts";
import { generateKeys, issueAuthority, issueCertificate, trustOf } from "../../../fixtures/certificates.ts";

const keys = await generateKeys();

/** Chains of distinct leaves, under one authority with `bytes` of padding that each chain holds `times` times. */
async function chains(count: number, bytes: number, times: number): Promise<readonly (readonly string[])[]> {
  const extensions = [new Extension("1.2.3.4", false, Buffer.alloc(bytes))];
  const issuer = await issueAuthority({ keys, extensions });
  const above = Array.from({ length: times }, () => issuer.certificate.raw.toString("base64"));
  const leaves = Array.from({ length: count }, () => issueCertificate({ keys, issuer }));
  return (await Promise.all(leaves)).map(({ certificate }) => [certificate.raw.toString("base64"), ...above]);
}

describe("knownChain", () => {
  it("remembers chains as they are in real bundles, for one trust material", async () => {
    const trust = trustOf({});
    const [first = [], ...others] = await chains(20, 500, 2);
    const known = knownChain(first, trust);
    for (const one of others) knownChain(one, trust);
    expect(knownChain(first, trust)).toBe(known);
    expect(knownChain(first, trustOf({}))).not.toBe(known);
  });

  it("forgets those before, where many large ones come, so that strangers cannot fill the memory", async () => {
    const trust = trustOf({});
    const [first = [], ...others] = await chains(14, 15_000, 9);
    const known = knownChain(first, trust);
    expect(knownChain(first, trust)).toBe(known);
    for (const one of others) knownChain(one, trust);
    expect(knownChain(first, trust)).not.toBe(known);
  });
});
