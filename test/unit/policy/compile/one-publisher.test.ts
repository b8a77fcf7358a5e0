import { describe, expect, it } from "vitest";
import { compileObjects } from "../../../fixtures/compile.ts";
import { onePublisher } from "../../../../src/policy/compile/one-publisher.ts";
import { skillOf } from "../../../fixtures/signed-skill.ts";
import { podSourceKinds } from "../../../../src/skill/reference.ts";
import { evidenceOf, policyObject, signed } from "../builders.ts";
import { publicKey } from "../resource-cases.ts";

describe("onePublisher", () => {
  it("is the policy that the resource with nothing but that publisher is", () => {
    const publisher = { name: "team", publicKey: { pem: publicKey } };
    const short = onePublisher("p", publisher);
    const long = compileObjects([policyObject({ publishers: [publisher] })], []);
    expect(short.trust.version).toBe(long.trust.version);
    // Functions are compared by what they say.
    const plain = ({ policies: [policy] }: typeof short): unknown => ({
      ...policy,
      appliesTo: policy?.appliesTo("any", {}),
      card: policy?.card(evidenceOf(signed(), { faults: [{ path: "SKILL.md", detail: "none" }] })),
      revoked: policy?.revoked(skillOf("etl"), evidenceOf(signed())),
      unverifiable: podSourceKinds.map((kind) => policy?.unverifiable(kind, "root")),
    });
    expect(plain(short)).toEqual(plain(long));
  });

  it("refuses a key that cannot be used", () => {
    expect(() => onePublisher("p", { name: "team", publicKey: { pem: "no key" } })).toThrow(
      'spec.publishers[0].publicKey.pem: holds no "PUBLIC KEY" block',
    );
  });
});
