import { beforeAll, describe, expect, it } from "vitest";
import { keylessSkill } from "../../fixtures/keyless-skill.ts";
import { identity, issuer, testSigstore, type TestSigstore } from "../../fixtures/sigstore.ts";
import { sharedProduct } from "./product.ts";
import {
  applySkill,
  createNamespace,
  denial,
  enforce,
  policy,
  trustRoot,
  tryApply,
  type Part,
} from "./world.ts";

let sigstore: TestSigstore;

beforeAll(async () => {
  sigstore = await testSigstore();
  await sharedProduct();
});

/** A namespace whose policy trusts one signer, by an instance that is given so. */
async function govern(space: string, instance: Part): Promise<void> {
  await createNamespace(space, space);
  const keyless = { trustRootRef: { name: space }, issuer, identity };
  await enforce(
    trustRoot(space, { sigstore: [{ name: "ours", ...instance }] }),
    policy(space, { publishers: [{ name: "ci", keyless }], evidence: { authorship: "STRONG" } }),
  );
}

describe("a Sigstore instance in a SkillTrustRoot", () => {
  it("may be given by its ClientTrustConfig", async () => {
    const space = "sigstore-config";
    const clientTrustConfig = JSON.stringify({
      mediaType: "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
      trustedRoot: sigstore.trustedRoot,
      signingConfig: {},
    });
    await govern(space, { clientTrustConfig });
    const { ran } = await applySkill(await keylessSkill(sigstore), space);
    expect(ran).toMatchObject({ code: 0, stderr: "" });
    const stranger = await keylessSkill(await testSigstore());
    expect(denial((await applySkill(stranger, space)).ran)).toContain("in no trusted Sigstore root");
  });

  it("may ask for a second clock", async () => {
    const space = "sigstore-clocks";
    const own = await testSigstore();
    await govern(space, { trustedRoot: JSON.stringify(own.trustedRoot), timestampThreshold: 2 });
    const { ran } = await applySkill(await keylessSkill(own, { timestamp: true }), space);
    expect(ran).toMatchObject({ code: 0, stderr: "" });
    const once = await applySkill(await keylessSkill(own), space);
    expect(denial(once.ran)).toContain("does not prove: its time is stated by 1 of the 2");
  });

  it("is not met by what another namespace's root asks less of", async () => {
    const [lax, strict] = ["sigstore-lax", "sigstore-strict"];
    const trustedRoot = JSON.stringify(sigstore.trustedRoot);
    await govern(lax, { trustedRoot });
    await govern(strict, { trustedRoot, timestampThreshold: 2 });
    const once = await keylessSkill(sigstore);
    expect((await applySkill(once, lax)).ran).toMatchObject({ code: 0, stderr: "" });
    expect(denial((await applySkill(once, strict)).ran)).toContain(
      "does not prove: its time is stated by 1 of the 2",
    );
    const twice = await keylessSkill(sigstore, { timestamp: true });
    expect((await applySkill(twice, strict)).ran).toMatchObject({ code: 0, stderr: "" });
  });

  it("may not ask for less than a time", async () => {
    const instance = { name: "ours", instance: "PublicGood", timestampThreshold: 0 };
    const { code, stderr } = await tryApply([trustRoot("sigstore-timeless", { sigstore: [instance] })]);
    expect(code).not.toBe(0);
    expect(stderr).toContain("timestampThreshold");
  });
});
