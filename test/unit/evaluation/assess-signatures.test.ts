import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { assessSignatures } from "../../../src/evaluation/assess-signatures.ts";
import { assess } from "../../../src/evaluation/assess.ts";
import { signGuide } from "../../../src/signature/guide/sign.ts";
import { signOms } from "../../../src/signature/oms/sign.ts";
import { intersection } from "../../../src/signature/validity.ts";
import { issueChain, trustOf } from "../../fixtures/certificates.ts";
import { guideFiles } from "../../fixtures/guide-skill.ts";
import { skillOf, withFiles } from "../../fixtures/signed-skill.ts";

const name = "data-designer";
const guideKey = generateKeyPairSync("ed25519").privateKey;
const chain = await issueChain();
const later = Date.parse("2100-01-01T00:00:00Z");

/** A skill signed by a key in one format, and in another by a certificate that has expired at `later`. */
function signedTwice() {
  const bare = skillOf(name, guideFiles(name));
  const oms = signOms(bare, {
    key: chain.leaf.key,
    certificates: chain.certificates,
    leftOut: ["skill.sig"],
  });
  const beside = withFiles(bare, { "skill.oms.sig": oms });
  return withFiles(beside, { "skill.sig": signGuide(beside, guideKey) });
}

describe("assessSignatures", () => {
  const trust = trustOf({ anchors: [chain.root.certificate], keys: [createPublicKey(guideKey)] });

  it("holds no longer than the facts of every signature, not only of the first", () => {
    const { signature, others, validity } = assessSignatures({ skill: signedTwice() }, trust, later);
    expect(signature).toMatchObject({ outcome: "signed", format: "guide" });
    expect(others).toMatchObject([{ outcome: "untrusted", format: "oms" }]);
    expect(validity).toEqual(intersection(signature.validity, others![0]!.validity));
    expect(validity).not.toEqual(signature.validity);
  });

  it("establishes what `assess` establishes, but for the card", () => {
    const skill = signedTwice();
    const { card, ...rest } = assess({ skill }, trust, later);
    expect(card.card?.name).toBeDefined();
    expect(assessSignatures({ skill }, trust, later)).toEqual(rest);
  });
});
