import { describe, expect, it } from "vitest";
import { compileObjects } from "../../fixtures/compile.ts";
import { onePublisher } from "../../../src/policy/compile/one-publisher.ts";
import { isByPublisher } from "../../../src/policy/rules/publishers.ts";
import type { Signer } from "../../../src/signature/signature-evidence.ts";
import { publicGoodRoot } from "../../../src/signature/sigstore/root/public-good-root.ts";
import { policyObject, rootObject, signed, stranger } from "./builders.ts";
import { publicKey, type Spec } from "./resource-cases.ts";

const publicGood = rootObject({ sigstore: [{ name: "public", instance: "PublicGood" }] });
const issuer = "https://token.actions.githubusercontent.com";
const identity = "https://github.com/acme/skills/.github/workflows/release.yml@refs/tags/v1.2.0";
const pattern = "^https://github\\.com/acme/skills/\\.github/workflows/release\\.yml@refs/tags/v[0-9.]+$";

const keyless = (content: Spec): Spec => ({
  publishers: [{ name: "ci", keyless: { trustRootRef: { name: "r" }, issuer, ...content } }],
});

const compiled = (content: Spec, roots = [publicGood]) =>
  compileObjects([policyObject(keyless(content))], roots);

const { trust } = compiled({ identity });
const [root] = trust.sigstore!;

const signer = (over: Partial<Extract<Signer, { kind: "keyless" }>> = {}): Signer => ({
  kind: "keyless",
  identity,
  issuer,
  claims: { sourceRepositoryURI: "https://github.com/acme/skills" },
  fingerprint: "ab",
  publicKey: "cd",
  roots: [root!.fingerprint],
  ...over,
});

const accepts = (content: Spec, who: Signer = signer()): boolean => {
  const { policies, problems } = compiled(content);
  expect(problems).toEqual([]);
  return isByPublisher(policies[0]!, signed(who));
};

describe("isByPublisher on keyless signers", () => {
  it("takes the identity and its issuer", () => {
    expect(accepts({ identity })).toBe(true);
    expect(accepts({ identityPattern: pattern })).toBe(true);
  });

  it.each<[string, Partial<Extract<Signer, { kind: "keyless" }>>]>([
    ["another identity", { identity: "mallory@example.com" }],
    ["a longer identity", { identity: `${identity}.evil.test` }],
    ["the end of an identity", { identity: identity.slice(8) }],
    ["an identity in other letters", { identity: identity.toUpperCase() }],
    ["another issuer", { issuer: "https://accounts.google.com" }],
    ["a longer issuer", { issuer: `${issuer}/` }],
    ["no proof", { roots: [] }],
    ["the proof of another root", { roots: ["00".repeat(32)] }],
  ])("refuses %s, exact or by pattern", (_what, over) => {
    expect(accepts({ identity }, signer(over))).toBe(false);
    expect(accepts({ identityPattern: pattern }, signer(over))).toBe(false);
  });

  it("never takes an exact identity as a pattern", () => {
    const dotted = "release@example.com";
    expect(accepts({ identity: dotted }, signer({ identity: dotted }))).toBe(true);
    expect(accepts({ identity: dotted }, signer({ identity: "release@exampleXcom" }))).toBe(false);
    expect(accepts({ identity: ".*" }, signer())).toBe(false);
  });

  it("compares claims exactly, and one that the certificate does not make is not met", () => {
    const repository = "https://github.com/acme/skills";
    expect(accepts({ identity, claims: { sourceRepositoryURI: repository } })).toBe(true);
    expect(accepts({ identity, claims: { sourceRepositoryURI: `${repository}2` } })).toBe(false);
    expect(accepts({ identity, claims: { sourceRepositoryRef: "refs/heads/main" } })).toBe(false);
  });

  it("takes no signer of another kind", () => {
    expect(accepts({ identity }, stranger)).toBe(false);
  });
});

describe("compileSnapshot with Sigstore roots", () => {
  it("covers them by the trust's version, and keeps the trust where they stay", () => {
    const other = JSON.parse(publicGoodRoot) as { timestampAuthorities?: unknown };
    delete other.timestampAuthorities;
    const changed = rootObject({ sigstore: [{ name: "public", trustedRoot: JSON.stringify(other) }] });
    expect(compiled({ identity }, [changed]).trust.version).not.toBe(trust.version);
    expect(
      compileObjects([policyObject(keyless({ identity }))], [publicGood], { previous: trust }).trust,
    ).toBe(trust);
  });

  it("gives the public instance's root the same fingerprint as its text", () => {
    const byText = rootObject({ sigstore: [{ name: "public", trustedRoot: publicGoodRoot }] });
    expect(compiled({ identity }, [byText]).trust.version).toBe(trust.version);
  });

  const config = (trustedRoot: object): string =>
    JSON.stringify({
      mediaType: "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
      trustedRoot,
      signingConfig: {},
    });

  it("takes the trusted root of a ClientTrustConfig", () => {
    const clientTrustConfig = config(JSON.parse(publicGoodRoot) as object);
    const byConfig = rootObject({ sigstore: [{ name: "public", clientTrustConfig }] });
    const { problems, trust: material } = compiled({ identity }, [byConfig]);
    expect(problems).toEqual([]);
    expect(material.sigstore).toMatchObject([{ names: [root!.names[0]], thresholds: { tlog: 1, ctlog: 1 } }]);
  });

  it("keeps apart what asks for different proof, and accepts a signer by the one that the policy names", () => {
    const strict = rootObject({
      sigstore: [{ name: "public", instance: "PublicGood", tlogThreshold: 2, timestampThreshold: 3 }],
    });
    const { policies, trust: material } = compiled({ identity }, [strict]);
    expect(material.version).not.toBe(trust.version);
    expect(material.sigstore).toMatchObject([{ thresholds: { tlog: 2, timestamp: 3, ctlog: 1 } }]);
    expect(isByPublisher(policies[0]!, signed(signer()))).toBe(false);
    const proved = signer({ roots: [material.sigstore![0]!.fingerprint] });
    expect(isByPublisher(policies[0]!, signed(proved))).toBe(true);
  });

  it.each<[string, Spec, Spec, RegExp]>([
    [
      "a ClientTrustConfig that cannot be read",
      { sigstore: [{ name: "a", clientTrustConfig: config({}) }] },
      { identity },
      /spec\.sigstore\[0\]\.clientTrustConfig: .*mediaType is missing; give the text of a ClientTrustConfig/,
    ],
    [
      "more logs than the instance has",
      { sigstore: [{ name: "a", instance: "PublicGood", tlogThreshold: 4 }] },
      { identity },
      /spec\.sigstore\[0\]\.instance: 4 transparency logs are asked for, and the trusted root has 2/,
    ],
    [
      "a root that cannot be read",
      { sigstore: [{ name: "a", trustedRoot: "{}" }] },
      { identity },
      /spec\.sigstore\[0\]\.trustedRoot: .*mediaType is missing; give the text of a trusted_root\.json/,
    ],
    [
      "a root without Sigstore",
      { keys: [{ name: "a", pem: publicKey }] },
      { identity },
      /spec\.publishers\[0\]\.keyless\.trustRootRef: the SkillTrustRoot r holds no Sigstore root/,
    ],
    [
      "a pattern that cannot be read",
      { sigstore: [{ name: "a", instance: "PublicGood" }] },
      { identityPattern: "^(a$" },
      /spec\.publishers\[0\]\.keyless\.identityPattern: the pattern cannot be read/,
    ],
  ])("leaves nobody trusted by %s", (_what, spec, content, message) => {
    const { policies, problems } = compiled(content, [rootObject(spec)]);
    expect(problems.map((problem) => problem.message).join("\n")).toMatch(message);
    expect(policies[0]!.invalidReason).toBeDefined();
    expect(isByPublisher(policies[0]!, signed(signer()))).toBe(false);
  });

  it("needs the trust root that it names", () => {
    expect(compiled({ identity }, []).problems).toMatchObject([{ reason: "TrustRootMissing" }]);
  });
});

describe("onePublisher with an identity", () => {
  it("is the policy of that identity by that root", () => {
    const keylessSpec = { trustRootRef: { name: "trust-root" }, issuer, identity };
    const { policies, trust: own } = onePublisher(
      "p",
      { name: "ci", keyless: keylessSpec },
      { sigstore: [{ name: "public", instance: "PublicGood" }] },
    );
    expect(own.sigstore).toHaveLength(1);
    expect(isByPublisher(policies[0]!, signed(signer()))).toBe(true);
    expect(isByPublisher(policies[0]!, signed(signer({ identity: "a" })))).toBe(false);
  });
});
