import { beforeAll, describe, expect, it } from "vitest";
import { compileObjects } from "../../fixtures/compile.ts";
import { judge } from "../../../src/policy/judge.ts";
import { remedyFor } from "../../../src/policy/remedy.ts";
import { verifySignature } from "../../../src/signature/verify.ts";
import {
  issueAuthority,
  issueChain,
  type IssuedCertificate,
  type TestChain,
} from "../../fixtures/certificates.ts";
import { issueCrl, type CrlOptions } from "../../fixtures/crl.ts";
import { signedSkill } from "../../fixtures/signed-skill.ts";
import { codes, evidenceOf, policyObject, reference, rootObject } from "./builders.ts";
import type { Spec } from "./resource-cases.ts";

const day = 24 * 3600 * 1000;
const now = Date.now();

let chain: TestChain;
let skill: ReturnType<typeof signedSkill>["skill"];

beforeAll(async () => {
  chain = await issueChain({ leaf: { serialNumber: "0a1b2c" } });
  ({ skill } = signedSkill({ key: chain.leaf.key, certificates: chain.certificates }));
});

const publishers = [{ name: "p", certificate: { trustRootRef: { name: "r" } } }];

/** A policy under one trust root: the chain's root and intermediate, and these lists. */
function snapshotOf(crls: readonly string[], certificates?: readonly IssuedCertificate[]) {
  const pem = (certificates ?? [chain.root, chain.intermediate]).map((one) => one.pem).join("");
  const spec: Spec = {
    certificates: [{ name: "ca", pem }],
    crls: crls.map((text, index) => ({ name: `crl-${index}`, pem: text })),
  };
  return compileObjects([policyObject({ publishers })], [rootObject(spec)]);
}

/** Codes and messages that the skill gets under these lists. */
async function found(lists: readonly CrlOptions[], at = now) {
  const crls = await Promise.all(lists.map(issueCrl));
  const { policies, trust, problems } = snapshotOf(crls.map(({ pem }) => pem));
  expect(problems).toEqual([]);
  const signature = verifySignature(skill, trust, at);
  const { findings } = judge(policies[0]!, reference(), evidenceOf(signature), at);
  return {
    codes: codes(findings),
    messages: findings.map(({ message }) => message),
    remedy: remedyFor(findings),
    signature,
  };
}

const problemOf = (crls: readonly string[], certificates?: readonly IssuedCertificate[]) =>
  snapshotOf(crls, certificates).problems[0];

describe("a certificate revocation list in a trust root", () => {
  it("lets pass what it does not revoke", async () => {
    const lists = [{ issuer: chain.root }, { issuer: chain.intermediate }];
    expect((await found(lists)).codes).toEqual([]);
    const revoked = [chain.intermediate];
    // The same serial number under another authority is another certificate.
    expect((await found([{ issuer: chain.intermediate, revoked }])).codes).toEqual([]);
  });

  it("denies by a revoked leaf, saying when it was revoked and by which list", async () => {
    const { codes: given, messages } = await found([{ issuer: chain.intermediate, revoked: [chain.leaf] }]);
    expect(given).toEqual(["REVOKED"]);
    expect(messages[0]).toMatch(
      /^signed by .*CN=Test Signer, who is not trusted: .*CN=Test Signer was revoked by its issuer on \d{4}-\d\d-\d\d \(revocation list r\/crl-0\)$/,
    );
  });

  it("denies by a revoked intermediate, also where it stands in the trust root itself", async () => {
    const { codes: given, messages } = await found([{ issuer: chain.root, revoked: [chain.intermediate] }]);
    expect(given).toEqual(["REVOKED"]);
    expect(messages[0]).toMatch(/CN=Test Intermediate CA was revoked by its issuer/);
  });

  it("takes the newest of several lists of one authority", async () => {
    const older = { issuer: chain.intermediate, revoked: [chain.leaf], thisUpdate: -2 };
    const newer = { issuer: chain.intermediate, thisUpdate: -1 };
    expect((await found([older, newer])).codes).toEqual([]);
    expect((await found([newer, older])).codes).toEqual([]);
    expect(
      (
        await found([
          { ...older, thisUpdate: -1 },
          { ...newer, thisUpdate: -2 },
        ])
      ).codes,
    ).toEqual(["REVOKED"]);
  });

  it("is needed up to date: from thisUpdate to nextUpdate, and not a second longer", async () => {
    const thisUpdate = new Date(Math.floor((now + day) / 1000) * 1000);
    const nextUpdate = new Date(Math.floor((now + 3 * day) / 1000) * 1000);
    const list = { issuer: chain.intermediate, thisUpdate, nextUpdate };
    const at = async (time: number) => (await found([list], time)).codes;
    expect(await at(thisUpdate.getTime())).toEqual([]);
    expect(await at(nextUpdate.getTime() + 999)).toEqual([]);
    expect(await at(nextUpdate.getTime() + 1000)).toEqual(["SIGNER_EXPIRED"]);
    const early = await found([list], thisUpdate.getTime() - 1);
    expect(early.codes).toEqual(["SIGNER_EXPIRED"]);
    expect(early.messages[0]).toMatch(/begins on/);
    const { messages, remedy, signature } = await found([list], nextUpdate.getTime() + 1000);
    expect(messages[0]).toMatch(
      /of whose chain it is not known whether it was revoked: the revocation list of .*CN=Test Intermediate CA.* \(r\/crl-0\) ended on \d{4}-\d\d-\d\d$/,
    );
    expect([early.remedy, remedy]).toEqual(
      Array(2).fill("give the trust root that authority's revocation list that is in force now"),
    );
    // So long, and no longer, may the evidence be remembered.
    expect(signature.validity.notBefore).toBe(nextUpdate.getTime() + 1000);
    expect((await found([list], now + 2 * day)).signature.validity.notAfter).toBe(nextUpdate.getTime() + 999);
  });

  it("counts in every policy where the same authority is trusted", async () => {
    const { pem } = await issueCrl({ issuer: chain.intermediate, revoked: [chain.leaf] });
    const certificates = [{ name: "ca", pem: chain.root.pem + chain.intermediate.pem }];
    const { policies, trust } = compileObjects(
      [policyObject({ publishers: [{ name: "own", certificate: { pem: chain.root.pem } }] })],
      [rootObject({ certificates, crls: [{ name: "crl", pem }] })],
    );
    const signature = verifySignature(skill, trust, now);
    expect(codes(judge(policies[0]!, reference(), evidenceOf(signature), now).findings)).toEqual(["REVOKED"]);
  });

  it("is refused, when none of the trust root's authorities issued it", async () => {
    const stranger = await issueAuthority();
    const foreign = await issueCrl({ issuer: stranger });
    const problem = problemOf([foreign.pem]);
    expect(problem).toMatchObject({ kind: "SkillTrustRoot", reason: "UnusableTrust" });
    expect(problem?.message).toMatch(
      /^spec\.crls\[0\]\.pem: no certificate of this trust root issued the list of .*; put its issuer's certificate beside the root, under certificates$/,
    );
    const forged = await issueCrl({ issuer: chain.root, signer: stranger });
    expect(problemOf([forged.pem])?.reason).toBe("UnusableTrust");
    const below = await issueCrl({ issuer: chain.intermediate });
    expect(problemOf([below.pem], [chain.root])?.message).toMatch(/no certificate of this trust root issued/);
    expect(problemOf([below.pem])).toBeUndefined();
  });

  it("is refused, when it cannot be read, is cut, or stands beside another", async () => {
    const { pem } = await issueCrl({ issuer: chain.root });
    const block = (body: string): string => `-----BEGIN X509 CRL-----\n${body}\n-----END X509 CRL-----\n`;
    expect(problemOf([block("AAAA")])?.message).toMatch(/^spec\.crls\[0\]\.pem: the list /);
    expect(problemOf([pem + pem])?.message).toMatch(/holds 2 lists; give each an entry of its own/);
    expect(problemOf([pem, chain.root.pem])?.message).toMatch(/^spec\.crls\[1\]\.pem/);
    const endless = await issueCrl({ issuer: chain.root, nextUpdate: null });
    expect(problemOf([endless.pem])?.message).toMatch(/does not say until when it holds/);
  });

  it("that cannot be read is no empty one, for whoever trusts the same authority", async () => {
    const { pem: crl } = await issueCrl({ issuer: chain.root });
    const stranger = await issueAuthority({ subject: "CN=Another Root" });
    const root = (text: string, certificate = chain.root.pem) =>
      rootObject({
        certificates: [{ name: "ca", pem: certificate }],
        crls: [{ name: "crl", pem: text }],
      });
    const own = policyObject({ publishers: [{ name: "p", certificate: { pem: chain.root.pem } }] });
    const brokenBy = (object: ReturnType<typeof rootObject>) => {
      const { policies } = compileObjects([own], [object]);
      return policies[0]!.invalidReason;
    };
    expect(brokenBy(root(crl))).toBeUndefined();
    const garbled = crl.replace("CRL-----\n", "CRL-----\nAAAA");
    expect(brokenBy(root(garbled))).toMatch(
      /^the SkillTrustRoot r holds revocation lists of an authority that the publisher p trusts, and cannot be used/,
    );
    expect(brokenBy(root(garbled, stranger.pem))).toBeUndefined();
    expect(brokenBy(rootObject({ certificates: [{ name: "ca", pem: "none" }] }))).toBeUndefined();
    for (const certificates of [undefined, "x", [null], [{}], [{ pem: 1 }]])
      expect(brokenBy(rootObject({ certificates, crls: [{ name: "c", pem: garbled }] }))).toBeUndefined();
  });

  it("makes the trust another one, so that nothing from before stays known", async () => {
    const before = snapshotOf([]).trust;
    const { pem } = await issueCrl({ issuer: chain.root });
    expect(snapshotOf([pem]).trust.version).not.toBe(before.version);
  });

  it("tells when it ends, as what has to be renewed", async () => {
    const nextUpdate = new Date("2027-01-01T00:00:00Z");
    const { pem } = await issueCrl({ issuer: chain.root, nextUpdate });
    expect(snapshotOf([pem]).expiries.filter(({ kind }) => kind === "crl")).toEqual([
      { name: "r/crl-0", notAfter: nextUpdate.getTime() + 999, kind: "crl" },
    ]);
  });

  it("tells no end of a list that a newer one has replaced, in whichever trust root", async () => {
    const [soon, late] = [new Date("2027-01-01T00:00:00Z"), new Date("2027-02-01T00:00:00Z")];
    const older = await issueCrl({ issuer: chain.root, thisUpdate: -2, nextUpdate: soon });
    const newer = await issueCrl({ issuer: chain.root, thisUpdate: -1, nextUpdate: late });
    const rootOf = (pem: string, name: string) =>
      rootObject({ certificates: [{ name: "ca", pem: chain.root.pem }], crls: [{ name: "crl", pem }] }, name);
    const endsOf = (...roots: readonly ReturnType<typeof rootOf>[]) =>
      compileObjects([], roots).expiries.flatMap(({ name, kind }) => (kind === "crl" ? [name] : []));
    expect(endsOf(rootOf(older.pem, "a"), rootOf(newer.pem, "b"))).toEqual(["b/crl"]);
    expect(endsOf(rootOf(older.pem, "a"))).toEqual(["a/crl"]);
    expect(endsOf(rootOf(newer.pem, "a"), rootOf(newer.pem, "b"))).toEqual(["a/crl", "b/crl"]);
  });
});
