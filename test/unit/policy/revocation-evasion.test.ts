import { createHash, createPublicKey, X509Certificate } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { compileObjects } from "../../fixtures/compile.ts";
import { judge } from "../../../src/policy/judge.ts";
import { omsStatement } from "../../../src/signature/oms/sign.ts";
import { verifySignature } from "../../../src/signature/verify.ts";
import type { Skill } from "../../../src/skill/skill.ts";
import { compressed, twinOf } from "../../fixtures/malleable-fingerprint.ts";
import { issueAuthority, issueCertificate, issueChain, type TestChain } from "../../fixtures/certificates.ts";
import { bundleOf, signedSkill, skillOf, withFiles } from "../../fixtures/signed-skill.ts";
import { identity, issuer, testSigstore, type TestSigstore } from "../../fixtures/sigstore.ts";
import { codes, evidenceOf, policyObject, reference, rootObject } from "./builders.ts";
import type { Spec } from "./resource-cases.ts";
import { skillRevocationList } from "../../fixtures/resources.ts";

const now = Date.now();
const digestOf = (bytes: Uint8Array): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** What a skill is found to be by a policy with these publishers, and a list that revokes this. */
function found(skill: Skill, trusting: { readonly publisher: Spec; readonly root: Spec }, revoked: Spec) {
  const list = skillRevocationList("org-revoked", revoked);
  const policy = policyObject({ publishers: [{ name: "p", ...trusting.publisher }] });
  const { policies, trust, problems } = compileObjects([policy], [rootObject(trusting.root)], {
    revocationLists: [list],
  });
  expect(problems).toEqual([]);
  const content = { state: "resolved", skill } as const;
  const evidence = evidenceOf(verifySignature(skill, trust, now));
  const { findings } = judge(policies[0]!, reference({ content }), evidence, now);
  return { codes: codes(findings), messages: findings.map(({ message }) => message) };
}

let chain: TestChain;
let skill: Skill;

beforeAll(async () => {
  chain = await issueChain({ root: { notBefore: -2 } });
  skill = signedSkill({ key: chain.leaf.key, certificates: chain.certificates }).skill;
});

const byChain = ({ root }: TestChain) => ({
  publisher: { certificate: { trustRootRef: { name: "r" } } },
  root: { certificates: [{ name: "ca", pem: root.pem }] },
});

/** The same skill and signature with these certificates in the bundle: they are not signed with it. */
function rechained(certificates: readonly X509Certificate[]): Skill {
  const bundle = bundleOf(skill.files.get("skill.oms.sig")!.bytes);
  const list = certificates.map(({ raw }) => ({ rawBytes: raw.toString("base64") }));
  const text = JSON.stringify({
    ...bundle,
    verificationMaterial: { x509CertificateChain: { certificates: list }, tlogEntries: [] },
  });
  return withFiles(skill, { "skill.oms.sig": text });
}

describe("a revoked certificate", () => {
  it("is refused by its twin too, which anybody can put in its place", () => {
    const { leaf, intermediate } = chain;
    const tricks = {
      leaf: rechained([twinOf(leaf.certificate), intermediate.certificate]),
      intermediate: rechained([leaf.certificate, twinOf(intermediate.certificate)]),
    };
    for (const which of ["leaf", "intermediate"] as const) {
      expect(found(tricks[which], byChain(chain), {}).codes).toEqual([]);
      const list = { certificates: [{ digest: `sha256:${chain[which].fingerprint}`, reason: "SEC-1" }] };
      const { codes: said, messages } = found(tricks[which], byChain(chain), list);
      expect(said).toEqual(["REVOKED"]);
      expect(messages[0]).toMatch(
        which === "leaf"
          ? /^the certificate \w{8}… of the signer is revoked/
          : / above the signer's is revoked/,
      );
    }
    const other = { certificates: [{ digest: digestOf(Buffer.from("another")), reason: "SEC-1" }] };
    expect(found(tricks.leaf, byChain(chain), other).codes).toEqual([]);
  });
});

describe("a revoked key", () => {
  it("is refused in a certificate that writes its point compressed", async () => {
    const { intermediate, leaf } = chain;
    const publicKey = createPublicKey(leaf.key);
    const again = await issueCertificate({
      issuer: intermediate,
      keys: leaf.keys,
      publicKey: compressed(publicKey),
    });
    const trick = rechained([again.certificate, intermediate.certificate]);
    expect(found(trick, byChain(chain), {}).codes).toEqual([]);
    const digest = digestOf(publicKey.export({ type: "spki", format: "der" }));
    const keys = { keys: [{ digest, reason: "SEC-1" }] };
    expect(found(trick, byChain(chain), keys).codes).toEqual(["REVOKED"]);
  });
});

describe("a revoked key of an authority", () => {
  it("is refused by whichever of its certificates the bundle brings", async () => {
    const { root, leaf, intermediate } = chain;
    const renewed = await issueAuthority({
      subject: "CN=Test Intermediate CA, O=Test Publisher, C=US",
      issuer: root,
      keys: intermediate.keys,
      // Valid when the leaf began.
      notBefore: -1.5,
    });
    const trick = rechained([leaf.certificate, renewed.certificate]);
    const certificates = [{ digest: `sha256:${intermediate.fingerprint}`, reason: "SEC-1" }];
    expect(found(trick, byChain(chain), { certificates }).codes).toEqual([]);
    for (const { key } of [intermediate, root]) {
      const digest = digestOf(createPublicKey(key).export({ type: "spki", format: "der" }));
      expect(found(trick, byChain(chain), { keys: [{ digest, reason: "SEC-1" }] }).messages).toEqual([
        expect.stringMatching(/^the key \w{8}… above the signer's is revoked/),
      ]);
    }
  });
});

describe("a keyless signature", () => {
  let sigstore: TestSigstore;
  let signed: Skill;
  beforeAll(async () => {
    sigstore = await testSigstore();
    const unsigned = skillOf("data-designer");
    const bundle = await sigstore.sign(omsStatement(unsigned));
    signed = withFiles(unsigned, { "skill.oms.sig": JSON.stringify(bundle) });
  });

  const byIdentity = () => ({
    publisher: { keyless: { trustRootRef: { name: "r" }, issuer, identity } },
    root: { sigstore: [{ name: "own", trustedRoot: JSON.stringify(sigstore.trustedRoot) }] },
  });
  /** Certificates of the instance's authority, and the signer's, DER. */
  const authorities = (): readonly Buffer[] => {
    const { certificateAuthorities } = sigstore.trustedRoot as {
      certificateAuthorities: readonly { certChain: { certificates: readonly { rawBytes: string }[] } }[];
    };
    return certificateAuthorities.flatMap(({ certChain }) =>
      certChain.certificates.map(({ rawBytes }) => Buffer.from(rawBytes, "base64")),
    );
  };
  const leaf = (): Buffer => {
    const { certificate } = bundleOf(signed.files.get("skill.oms.sig")!.bytes)["verificationMaterial"] as {
      certificate: { rawBytes: string };
    };
    return Buffer.from(certificate.rawBytes, "base64");
  };

  it("is refused under a revoked certificate of the instance's authority", () => {
    expect(found(signed, byIdentity(), {}).codes).toEqual([]);
    for (const raw of authorities()) {
      const list = { certificates: [{ digest: digestOf(raw), reason: "SEC-1" }] };
      expect(found(signed, byIdentity(), list).messages).toEqual([
        expect.stringMatching(/^the certificate \w{8}… above the signer's is revoked/),
      ]);
      const key = new X509Certificate(raw).publicKey.export({ type: "spki", format: "der" });
      expect(
        found(signed, byIdentity(), { keys: [{ digest: digestOf(key), reason: "SEC-1" }] }).messages,
      ).toEqual([expect.stringMatching(/^the key \w{8}… above the signer's is revoked/)]);
    }
  });

  it("is refused by its certificate's twin: logs take either", () => {
    const twin = twinOf(new X509Certificate(leaf()), "P-384");
    const list = { certificates: [{ digest: digestOf(twin.raw), reason: "SEC-1" }] };
    expect(found(signed, byIdentity(), list).messages).toEqual([
      expect.stringMatching(/^the certificate \w{8}… of the signer is revoked/),
    ]);
  });
});
