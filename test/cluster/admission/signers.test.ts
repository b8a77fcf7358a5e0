import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { issueCertificate, issueChain, type TestChain } from "../../fixtures/certificates.ts";
import { signedSkill, skillOf, withFiles, type SignedSkill } from "../../fixtures/signed-skill.ts";
import { signOms } from "../../../src/signature/oms/sign.ts";
import type { Skill } from "../../../src/skill/skill.ts";
import { projectRoot } from "../harness/binaries.ts";
import { tryKubectl } from "../harness/cluster.ts";
import { sharedProduct } from "./product.ts";
import { applySkill, createNamespace, denial, enforce, pemOf, policy, trustRoot } from "./world.ts";

const run = promisify(execFile);
const cli = (...args: readonly string[]) =>
  run(process.execPath, [join(projectRoot, "dist/main.js"), ...args], { maxBuffer: 64 * 1024 * 1024 });

const namespace = "signers";
const signature = "skill.oms.sig";

let scratch: string;
let own: SignedSkill;
let chain: TestChain;
let expired: TestChain;
let wrongUsage: TestChain;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "skill-admission-skills-"));
  own = signedSkill();
  const old = { notBefore: -40 };
  [chain, expired, wrongUsage] = await Promise.all([
    issueChain({ keyType: "P-384" }),
    issueChain({ root: old, intermediate: old, leaf: { notBefore: -20, notAfter: -2 } }),
    issueChain({ root: old, intermediate: old }),
  ]);
  await sharedProduct();
  await createNamespace(namespace, namespace);
  const certificates = [chain, expired, wrongUsage].map(({ root }, at) => ({
    name: `root-${at}`,
    pem: root.pem,
  }));
  await enforce(
    trustRoot("ours", { certificates, keys: [{ name: "team", pem: pemOf(own) }] }),
    policy(namespace, {
      publishers: [
        { name: "team", publicKey: { trustRootRef: { name: "ours", key: "team" } } },
        {
          name: "team-pki",
          certificate: { trustRootRef: { name: "ours" }, subject: { organization: "Test Publisher" } },
        },
      ],
      evidence: { integrity: "STRONG", authorship: "STRONG" },
      card: { required: true },
    }),
  );
});

afterAll(async () => {
  await rm(scratch, { recursive: true, force: true });
});

const withChain = ({ leaf, certificates }: TestChain): Skill =>
  signedSkill({ name: "data-designer", key: leaf.key, certificates }).skill;

const applied = (skill: Skill) => applySkill(skill, namespace);

describe("a skill passes", () => {
  it("when a certificate under the policy's root signed it", async () => {
    const { ran } = await applied(withChain(chain));
    expect(ran).toMatchObject({ code: 0, stderr: "" });
  });

  it("when the command line signed and packed it, by key and by certificate", async () => {
    const folder = join(scratch, "incident-summary");
    const [key, certificates] = [join(scratch, "key.pem"), join(scratch, "chain.pem")];
    await run("cp", ["-r", join(projectRoot, "examples/skills/incident-summary"), folder]);
    await writeFile(key, own.key.export({ type: "pkcs8", format: "pem" }) as string, { mode: 0o600 });
    await cli("sign", folder, "--key", key);
    const pack = async (name: string) =>
      (
        await cli(
          "package",
          folder,
          "--namespace",
          namespace,
          "--name",
          name,
          "--with-pod",
          "example.invalid/a",
        )
      ).stdout;
    expect(await tryKubectl(["apply", "-f", "-"], await pack("by-key"))).toMatchObject({
      code: 0,
      stderr: "",
    });

    await writeFile(key, chain.leaf.keyPem, { mode: 0o600 });
    await writeFile(
      certificates,
      [chain.leaf, { pem: chain.certificates[1]!.toString() }].map(({ pem }) => pem).join(""),
    );
    await cli("sign", folder, "--force", "--key", key, "--certificate-chain", certificates);
    const byChain = await tryKubectl(["apply", "-f", "-"], await pack("by-chain"));
    expect(byChain).toMatchObject({ code: 0, stderr: "" });
  });
});

describe("a skill is denied, when", () => {
  it("a stranger's key signed it", async () => {
    const { ran } = await applied(signedSkill().skill);
    expect(denial(ran)).toContain("  UNTRUSTED_SIGNER ");
    expect(denial(ran)).toContain(
      "  fix: use a skill signed by a publisher of the policy, or add the signer to its publishers",
    );
  });

  it("a certificate of a stranger's authority signed it, of the same names", async () => {
    const { ran } = await applied(withChain(await issueChain({ keyType: "P-384" })));
    expect(denial(ran)).toContain("  UNTRUSTED_SIGNER ");
  });

  it("the signer's certificate has expired", async () => {
    const { ran } = await applied(withChain(expired));
    expect(denial(ran)).toContain("  SIGNER_EXPIRED ");
    expect(denial(ran)).toContain(
      "  fix: have the skill signed anew, with a certificate or key that is valid",
    );
  });

  it("the signer's certificate is for something else than signing", async () => {
    // Nobody signs with such a certificate by mistake: the same key has a second one, and that is put in.
    const { leaf } = wrongUsage;
    const encipherment = await issueCertificate({
      keys: leaf.keys,
      issuer: wrongUsage.root,
      keyUsage: x509.KeyUsageFlags.keyEncipherment,
    });
    const right = await issueCertificate({ keys: leaf.keys, issuer: wrongUsage.root });
    const swapped = (certificate: typeof leaf): Skill => {
      const signed = withChain({ ...wrongUsage, leaf, certificates: [right.certificate] });
      const bundle = JSON.parse(Buffer.from(signed.files.get(signature)!.bytes).toString()) as {
        verificationMaterial: { x509CertificateChain: { certificates: { rawBytes: string }[] } };
      };
      bundle.verificationMaterial.x509CertificateChain.certificates[0]!.rawBytes =
        certificate.certificate.raw.toString("base64");
      return withFiles(signed, { [signature]: JSON.stringify(bundle) });
    };
    expect((await applied(swapped(right))).ran).toMatchObject({ code: 0 });
    const { ran } = await applied(swapped(encipherment));
    expect(denial(ran)).toContain("  BAD_SIGNATURE ");
    expect(denial(ran)).toContain("may not sign: it needs key usage digitalSignature");
  });

  it("its certificate is of another organization than the publisher's", async () => {
    const leaf = await issueCertificate({
      subject: "CN=Other, O=Other Publisher, C=US",
      keyType: "P-384",
      issuer: chain.root,
    });
    const unsigned = skillOf("data-designer");
    const bundle = signOms(unsigned, { key: leaf.key, certificates: [leaf.certificate] });
    const { ran } = await applied(withFiles(unsigned, { [signature]: bundle }));
    expect(denial(ran)).toContain("  UNTRUSTED_SIGNER ");
    expect(denial(ran)).toContain("Other Publisher");
  });
});
