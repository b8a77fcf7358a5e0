import { Bundle, TrustedRoot } from "@sigstore/protobuf-specs";
import { toSignedEntity, toTrustMaterial, Verifier } from "@sigstore/verify";
import { describe, expect, it } from "vitest";
import { bundleOf, hint, type BundleDraft } from "../../../fixtures/vett-skill.ts";
import { bundle, manifest, registry, withBundle } from "./delivered.ts";

const trusted = toTrustMaterial(TrustedRoot.fromJSON(registry.sigstore.trustedRoot), (name) => {
  if (name !== hint) throw new Error("unknown signing key");
  return { publicKey: registry.publicKey, validFor: () => true };
});

/** Verifies a bundle offline like the registry's own client: Sigstore's library with a key selector. */
function clientAccepts(json: object, artifact = manifest): boolean {
  try {
    const read = Bundle.fromJSON(json) as Parameters<typeof toSignedEntity>[0];
    const entity = toSignedEntity(read, Buffer.from(artifact));
    new Verifier(trusted, { ctlogThreshold: 0 }).verify(entity);
    return true;
  } catch {
    return false;
  }
}

describe("the registry's own client", () => {
  it("accepts what is accepted here", async () => {
    expect(clientAccepts(bundle)).toBe(true);
    const later = await bundleOf(registry, manifest, { entry: "hashedrekord 0.0.2" });
    expect(clientAccepts(later)).toBe(true);
  });

  it("writes bundles in a form that is read here", () => {
    expect(withBundle(Bundle.toJSON(Bundle.fromJSON(bundle)) as object).outcome).toBe("signed");
  });

  it.each<[string, BundleDraft]>([
    ["another name of the key", { hint: "v2" }],
    ["a signature over something else", { signed: Buffer.from("x") }],
  ])("refuses %s, as it is refused here", async (_what, draft) => {
    const other = await bundleOf(registry, manifest, draft);
    expect(clientAccepts(other)).toBe(false);
    expect(withBundle(other).outcome).toBe("untrusted");
  });

  it("refuses another manifest", () => {
    expect(clientAccepts(bundle, `${manifest} `)).toBe(false);
  });
});
