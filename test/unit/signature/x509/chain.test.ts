import type { X509Certificate } from "node:crypto";
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { beforeAll, describe, expect, it } from "vitest";
import type { SignatureEvidence } from "../../../../src/signature/signature-evidence.ts";
import { always } from "../../../../src/signature/validity.ts";
import type { TrustMaterial } from "../../../../src/signature/trust-material.ts";
import { verifySignature } from "../../../../src/signature/verify.ts";
import {
  issueAuthority,
  issueCertificate,
  issueChain,
  trustOf,
  type CertificateOptions,
  type IssuedCertificate,
  type TestChain,
} from "../../../fixtures/certificates.ts";
import {
  bundleOf,
  signedSkill,
  signPayload,
  skillOf,
  statementOf,
  withFiles,
} from "../../../fixtures/signed-skill.ts";

const day = 24 * 3600 * 1000;
const codeSigning = "1.3.6.1.5.5.7.3.3";
const serverAuth = "1.3.6.1.5.5.7.3.1";
const flags = x509.KeyUsageFlags;

/** A skill signed by the leaf, with any certificates in its bundle: our own signer would refuse wrong ones. */
function skillWith(leaf: IssuedCertificate, above: readonly X509Certificate[]) {
  const { skill, signature } = signedSkill({ key: leaf.key });
  const bundle = bundleOf(signature);
  const rawCertificates = [leaf.certificate, ...above].map(({ raw }) => ({
    rawBytes: raw.toString("base64"),
  }));
  const material = { x509CertificateChain: { certificates: rawCertificates }, tlogEntries: [] };
  const text = JSON.stringify({ ...bundle, verificationMaterial: material });
  return withFiles(skill, { "skill.oms.sig": text });
}

type ChainOptions = Parameters<typeof issueChain>[0];

async function verifyChain(options: ChainOptions, now = Date.now()): Promise<SignatureEvidence> {
  const { root, intermediate, leaf } = await issueChain(options);
  const skill = skillWith(leaf, [intermediate.certificate]);
  return verifySignature(skill, trustOf({ anchors: [root.certificate] }), now);
}

describe("what is remembered of certificates", () => {
  it("never lets one root stand for another of the same name, in whichever order they are trusted", async () => {
    const [ours, theirs] = [await issueChain(), await issueChain()];
    expect(theirs.root.certificate.subject).toBe(ours.root.certificate.subject);
    const skill = skillWith(ours.leaf, [ours.intermediate.certificate, ours.root.certificate]);
    const outcome = (...anchors: readonly X509Certificate[]): string =>
      verifySignature(skill, trustOf({ anchors }), Date.now()).outcome;
    const [own, other] = [ours.root.certificate, theirs.root.certificate];
    for (let again = 0; again < 2; again += 1) {
      expect(outcome(other)).toBe("untrusted");
      expect(outcome(own)).toBe("signed");
      expect(outcome(other, own)).toBe("signed");
      expect(outcome()).toBe("untrusted");
    }
  });

  it("is nothing about time: a root that was in force proves nothing when it has ended", async () => {
    const { root, intermediate, leaf } = await issueChain();
    const skill = skillWith(leaf, [intermediate.certificate]);
    const anchors = [root.certificate];
    const end = Date.parse(root.certificate.validTo);
    const at = (time: number): SignatureEvidence => verifySignature(skill, trustOf({ anchors }), time);
    expect(at(Date.now())).toMatchObject({ outcome: "signed" });
    expect(at(end + day)).toMatchObject({ outcome: "untrusted", fault: "SIGNER_EXPIRED" });
    expect(at(Date.now())).toMatchObject({ outcome: "signed" });
  });
});

describe("verifySignature by certificate chain", () => {
  it.each(["P-256", "P-384", "P-521", "RSA-2048"] as const)("accepts authorities on %s", async (keyType) => {
    const evidence = await verifyChain({ root: { keyType }, intermediate: { keyType } });
    expect(evidence).toMatchObject({ outcome: "signed", unlisted: [] });
  });

  it.each(["P-256", "P-384", "P-521"] as const)(
    "accepts a leaf on %s with its own digest",
    async (keyType) => {
      expect(await verifyChain({ leaf: { keyType } })).toMatchObject({ outcome: "signed" });
    },
  );

  it("names the signer, its key and its anchor", async () => {
    const { root, leaf, intermediate } = await issueChain({
      leaf: { subject: "C=US, O=Example\\, Inc., CN=Signer 1" },
    });
    const skill = skillWith(leaf, [intermediate.certificate]);
    expect(verifySignature(skill, trustOf({ anchors: [root.certificate] }), Date.now())).toMatchObject({
      signer: {
        kind: "certificate",
        subject: "CN=Signer 1, O=Example\\, Inc., C=US",
        attributes: { CN: ["Signer 1"], O: ["Example, Inc."], C: ["US"] },
        fingerprint: leaf.fingerprint,
        anchors: [root.fingerprint],
      },
    });
  });

  it("accepts a path length that suffices, and authorities that name themselves as issuer beside it", async () => {
    const evidence = await verifyChain({ root: { pathLength: 1 }, intermediate: { pathLength: 0 } });
    expect(evidence.outcome).toBe("signed");
  });

  it.each<[string, ChainOptions, string]>([
    ["an intermediate that is no authority", { intermediate: { ca: false } }, "is no certificate authority"],
    [
      "an intermediate without basic constraints",
      { intermediate: { ca: null } },
      "is no certificate authority",
    ],
    [
      "an intermediate that may not sign certificates",
      { intermediate: { keyUsage: flags.cRLSign } },
      "key usage",
    ],
    [
      "an intermediate for servers only",
      { intermediate: { extendedKeyUsage: [serverAuth] } },
      "extended key usage",
    ],
    ["a root with too short a path", { root: { pathLength: 0 }, intermediate: {} }, "path length"],
    ["a root that is no authority", { root: { ca: false } }, "is no certificate authority"],
    ["a root without basic constraints", { root: { ca: null } }, "is no certificate authority"],
    ["an intermediate with a weak key", { intermediate: { keyType: "RSA-1024" } }, "weak or unknown key"],
    ["a leaf signed with SHA-1", { leaf: { hash: "SHA-1" } }, "weak or unknown algorithm"],
    ["an intermediate signed with SHA-1", { intermediate: { hash: "SHA-1" } }, "weak or unknown algorithm"],
    [
      "an unknown critical extension of the leaf",
      { leaf: { extensions: [new x509.Extension("1.2.3.4", true, new Uint8Array([5, 0]))] } },
      "extension 1.2.3.4",
    ],
    [
      "an unknown critical extension of the intermediate",
      { intermediate: { extensions: [new x509.Extension("1.2.3.4", true, new Uint8Array([5, 0]))] } },
      "extension 1.2.3.4",
    ],
    [
      "name constraints, even when they are not critical",
      { intermediate: { extensions: [new x509.Extension("2.5.29.30", false, new Uint8Array([0x30, 0]))] } },
      "extension 2.5.29.30",
    ],
  ])("refuses %s", async (_name, options, detail) => {
    expect(await verifyChain(options)).toMatchObject({
      outcome: "untrusted",
      fault: "UNTRUSTED_SIGNER",
      selfConsistent: true,
      detail: expect.stringContaining(detail) as string,
      signer: { anchors: [] },
    });
  });

  it("accepts an unknown extension that is not critical", async () => {
    const extensions = [new x509.Extension("1.2.3.4", false, new Uint8Array([5, 0]))];
    expect((await verifyChain({ leaf: { extensions } })).outcome).toBe("signed");
  });

  it.each<[string, CertificateOptions]>([
    ["digitalSignature alone", { keyUsage: flags.digitalSignature }],
    ["codeSigning alone", { keyUsage: null, extendedKeyUsage: [codeSigning] }],
    ["both", { keyUsage: flags.digitalSignature, extendedKeyUsage: [codeSigning, serverAuth] }],
  ])("accepts a leaf with %s", async (_name, leaf) => {
    expect((await verifyChain({ leaf })).outcome).toBe("signed");
  });

  it.each<[string, CertificateOptions]>([
    ["no usage at all", { keyUsage: null }],
    ["keyAgreement only", { keyUsage: flags.keyAgreement }],
    ["keyAgreement, although codeSigning", { keyUsage: flags.keyAgreement, extendedKeyUsage: [codeSigning] }],
    ["serverAuth only", { keyUsage: flags.digitalSignature, extendedKeyUsage: [serverAuth] }],
  ])("refuses a leaf with %s", async (_name, leaf) => {
    expect(await verifyChain({ leaf })).toMatchObject({ outcome: "untrusted", fault: "BAD_SIGNATURE" });
  });

  it("refuses a leaf with an RSA key", async () => {
    const { root, intermediate, leaf } = await issueChain({ leaf: { keyType: "RSA-2048" } });
    const other = await issueCertificate();
    const skill = skillWith({ ...leaf, key: other.key }, [intermediate.certificate]);
    expect(verifySignature(skill, trustOf({ anchors: [root.certificate] }), Date.now())).toMatchObject({
      fault: "UNSUPPORTED_FORMAT",
    });
  });
});

describe("verifySignature over time", () => {
  const at = (days: number): number => Date.now() + days * day;

  it("holds while every certificate of the chain is valid, and says until when", async () => {
    const { root, intermediate, leaf } = await issueChain({
      root: { notAfter: 10 },
      intermediate: { notAfter: 20 },
      leaf: { notBefore: 2, notAfter: 30 },
    });
    const skill = skillWith(leaf, [intermediate.certificate]);
    const trust = trustOf({ anchors: [root.certificate] });
    const from = Date.parse(leaf.certificate.validFrom);
    const to = Date.parse(root.certificate.validTo) + 999;
    expect(verifySignature(skill, trust, at(5))).toMatchObject({
      outcome: "signed",
      validity: { notBefore: from, notAfter: to },
    });
    for (const [moment, validity] of [
      [from - 1, { notBefore: always.notBefore, notAfter: from - 1 }],
      [to + 1, { notBefore: to + 1, notAfter: always.notAfter }],
    ] as const) {
      expect(verifySignature(skill, trust, moment)).toMatchObject({
        outcome: "untrusted",
        fault: "SIGNER_EXPIRED",
        selfConsistent: true,
        validity,
      });
    }
    expect(verifySignature(skill, trust, from).outcome).toBe("signed");
    expect(verifySignature(skill, trust, to).outcome).toBe("signed");
  });

  it("says to wait for a chain that is yet to be valid, not for one that was", async () => {
    const { root, intermediate, leaf } = await issueChain({ leaf: { notBefore: 2, notAfter: 4 } });
    const skill = skillWith(leaf, [intermediate.certificate]);
    const remedyAt = (now: number) => {
      const evidence = verifySignature(skill, trustOf({ anchors: [root.certificate] }), now);
      expect(evidence).toMatchObject({ fault: "SIGNER_EXPIRED" });
      return "remedy" in evidence ? evidence.remedy : undefined;
    };
    expect(remedyAt(at(1))).toBe(
      "wait until the certificate chain is valid, or have the skill signed with one that is valid now",
    );
    expect(remedyAt(at(5))).toBeUndefined();
  });

  it("refuses a signer whose certificates are never valid together, for ever", async () => {
    const evidence = await verifyChain({ intermediate: { notBefore: -20, notAfter: -10 } });
    expect(evidence).toMatchObject({ fault: "SIGNER_EXPIRED", validity: always });
  });

  it("refuses an authority that began after the leaf", async () => {
    const evidence = await verifyChain({ intermediate: { notBefore: -1 }, leaf: { notBefore: -2 } });
    expect(evidence).toMatchObject({ fault: "UNTRUSTED_SIGNER" });
  });

  it("reads the year 9999", async () => {
    const endless = new Date("9999-12-31T23:59:59Z");
    const evidence = await verifyChain({
      root: { notAfter: endless },
      intermediate: { notAfter: endless },
      leaf: { notAfter: endless },
    });
    expect(evidence).toMatchObject({ outcome: "signed", validity: { notAfter: endless.getTime() + 999 } });
  });

  it("answers by the time it is asked about, also for a chain that it knows", async () => {
    const { root, intermediate, leaf } = await issueChain();
    const skill = skillWith(leaf, [intermediate.certificate]);
    const trust = trustOf({ anchors: [root.certificate] });
    const outcomes = [at(1), at(120), at(2), at(-60)].map(
      (now) => verifySignature(skill, trust, now).outcome,
    );
    expect(outcomes).toEqual(["signed", "untrusted", "signed", "untrusted"]);
  });
});

describe("verifySignature to anchors", () => {
  let chain: TestChain;
  const verify = (trust: TrustMaterial, above = [chain.intermediate.certificate]): SignatureEvidence =>
    verifySignature(skillWith(chain.leaf, above), trust, Date.now());

  beforeAll(async () => {
    chain = await issueChain();
  });

  it("never trusts the root that the bundle brings", () => {
    const evidence = verify(trustOf({}), [chain.intermediate.certificate, chain.root.certificate]);
    expect(evidence).toMatchObject({
      fault: "UNTRUSTED_SIGNER",
      selfConsistent: true,
      signer: { anchors: [] },
    });
  });

  it("accepts a bundle that brings the root beside the trusted one", () => {
    const evidence = verify(trustOf({ anchors: [chain.root.certificate] }), [
      chain.intermediate.certificate,
      chain.root.certificate,
    ]);
    expect(evidence).toMatchObject({ outcome: "signed", signer: { anchors: [chain.root.fingerprint] } });
  });

  it("refuses a root of the same name with another key", async () => {
    const impostor = await issueAuthority();
    expect(verify(trustOf({ anchors: [impostor.certificate] }))).toMatchObject({ fault: "UNTRUSTED_SIGNER" });
  });

  it("refuses an intermediate as the only anchor, and takes it as help beside its root", () => {
    const { root, intermediate } = chain;
    expect(verify(trustOf({ anchors: [intermediate.certificate] }))).toMatchObject({
      fault: "UNTRUSTED_SIGNER",
    });
    expect(verify(trustOf({ anchors: [intermediate.certificate] }), [])).toMatchObject({
      fault: "UNTRUSTED_SIGNER",
    });
    const both = trustOf({ anchors: [intermediate.certificate, root.certificate] });
    expect(verify(both, [])).toMatchObject({ outcome: "signed", signer: { anchors: [root.fingerprint] } });
  });

  it("refuses the leaf itself as anchor", async () => {
    const leaf = await issueCertificate();
    const skill = skillWith(leaf, []);
    expect(verifySignature(skill, trustOf({ anchors: [leaf.certificate] }), Date.now())).toMatchObject({
      fault: "UNTRUSTED_SIGNER",
    });
  });

  it("names every anchor that verifies at that time", async () => {
    const reissued = await issueAuthority({
      keys: chain.root.keys,
      serialNumber: "77",
      notBefore: -5,
      notAfter: 1,
    });
    const trust = trustOf({ anchors: [chain.root.certificate, reissued.certificate] });
    expect(verify(trust)).toMatchObject({
      signer: { anchors: [chain.root.fingerprint, reissued.fingerprint] },
    });
    const later = verifySignature(
      skillWith(chain.leaf, chain.certificates.slice(1)),
      trust,
      Date.now() + 2 * day,
    );
    expect(later).toMatchObject({ signer: { anchors: [chain.root.fingerprint] } });
  });

  it("forgets what it knew when the trust material is another", () => {
    expect(verify(trustOf({ anchors: [chain.root.certificate] })).outcome).toBe("signed");
    expect(verify(trustOf({})).outcome).toBe("untrusted");
  });

  it("stays bounded among many anchors of the same name", async () => {
    const name = { subject: chain.root.certificate.subject.replaceAll("\n", ", ") };
    const first = await issueAuthority(name);
    const crowd = Array.from({ length: 150 }, () => first.certificate);
    expect(verify(trustOf({ anchors: [...crowd, chain.root.certificate] })).outcome).toBe("untrusted");
    expect(verify(trustOf({ anchors: [...crowd.slice(0, 50), chain.root.certificate] })).outcome).toBe(
      "signed",
    );
  });

  it.each([
    [
      "a certificate that did not issue the one before it",
      () => [chain.root.certificate, chain.intermediate.certificate],
    ],
    ["more than ten certificates", () => Array.from({ length: 10 }, () => chain.intermediate.certificate)],
  ])("refuses a bundle with %s", (_name, above) => {
    const evidence = verify(trustOf({ anchors: [chain.root.certificate] }), above());
    expect(evidence).toMatchObject({ fault: "MANIFEST_MALFORMED", selfConsistent: false });
  });

  it("refuses a certificate by which another key signed", async () => {
    const other = await issueCertificate();
    const skill = skillWith({ ...chain.leaf, key: other.key }, [chain.intermediate.certificate]);
    expect(verifySignature(skill, trustOf({ anchors: [chain.root.certificate] }), Date.now())).toMatchObject({
      fault: "BAD_SIGNATURE",
      selfConsistent: false,
    });
  });

  it("tells what changed even where the signer is unknown", () => {
    const skill = withFiles(skillWith(chain.leaf, [chain.intermediate.certificate]), { "extra.py": "x" });
    expect(verifySignature(skill, trustOf({}), Date.now())).toMatchObject({
      fault: "UNTRUSTED_SIGNER",
      differences: [{ path: "extra.py", change: "added" }],
    });
  });

  it("does not take the old encoding for new statements of a certificate", () => {
    const skill = skillOf("demo");
    const payload = Buffer.from(JSON.stringify(statementOf(signedSkill({ name: "demo" }).signature)));
    const material = {
      x509CertificateChain: {
        certificates: chain.certificates.map(({ raw }) => ({ rawBytes: raw.toString("base64") })),
      },
    };
    const trust = trustOf({ anchors: [chain.root.certificate] });
    const outcomeOf = (legacy: boolean): string =>
      verifySignature(
        withFiles(skill, { "skill.oms.sig": signPayload(payload, chain.leaf.key, { material, legacy }) }),
        trust,
        Date.now(),
      ).outcome;
    expect(outcomeOf(false)).toBe("signed");
    expect(outcomeOf(true)).toBe("untrusted");
  });
});
