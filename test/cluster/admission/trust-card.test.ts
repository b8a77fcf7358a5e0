import { beforeAll, describe, expect, it } from "vitest";
import type { Skill } from "../../../src/skill/skill.ts";
import { signedSkill, withFiles } from "../../fixtures/signed-skill.ts";
import { identity, issuer, testSigstore, type TestSigstore } from "../../fixtures/sigstore.ts";
import {
  keylessCardSkill,
  trustCardFiles,
  trustCardSkill,
  type TrustCardSkill,
} from "../../fixtures/trust-card-skill.ts";
import { sharedProduct } from "./product.ts";
import {
  applySkill,
  createNamespace,
  denial,
  enforce,
  oneByteChanged,
  pemOf,
  policy,
  short,
  trustRoot,
  type Part,
} from "./world.ts";

const namespace = "trust-card";

let sigstore: TestSigstore;
let own: TrustCardSkill;
let keyless: Skill;

/** A namespace under a policy that takes trust cards by one key and by one identity. */
async function govern(space: string, demands: Part): Promise<void> {
  await createNamespace(space, space);
  await enforce(
    trustRoot(space, {
      keys: [{ name: "team", pem: pemOf({ ...own, signature: new Uint8Array() }) }],
      sigstore: [{ name: "ours", trustedRoot: JSON.stringify(sigstore.trustedRoot) }],
    }),
    policy(space, {
      publishers: [
        { name: "team", publicKey: { trustRootRef: { name: space, key: "team" } } },
        { name: "ci", keyless: { trustRootRef: { name: space }, issuer, identity } },
      ],
      ...demands,
    }),
  );
}

beforeAll(async () => {
  sigstore = await testSigstore();
  own = trustCardSkill();
  keyless = (await keylessCardSkill({ sigstore })).skill;
  await sharedProduct();
  await govern(namespace, {
    evidence: { integrity: "MEDIUM", authorship: "STRONG" },
    card: { required: true, fields: ["owner", "license"], permissions: { deny: ["network:egress"] } },
  });
});

const applied = (skill: Skill, space = namespace) => applySkill(skill, space);

describe("a skill with a trust card", () => {
  it("passes, when the policy's publisher signed it with a key", async () => {
    expect((await applied(own.skill)).ran).toMatchObject({ code: 0, stderr: "" });
  });

  it("passes, when the policy's publisher signed it without one", async () => {
    expect((await applied(keyless)).ran).toMatchObject({ code: 0, stderr: "" });
  });

  it.each(["SKILL.md", "scripts/run.sh", "references/a.md", "permissions.yaml", "skill-card.md"])(
    "is denied, when a byte of %s changes",
    async (path) => {
      for (const skill of [own.skill, keyless]) {
        const changed = withFiles(skill, { [path]: oneByteChanged(skill.files.get(path)!.bytes) });
        expect(denial((await applied(changed)).ran)).toContain(
          `  DIGEST_MISMATCH ${path}: signed ${short(skill, path)}, found ${short(changed, path)}`,
        );
      }
    },
  );

  it.each(["CARD.md", "CARD.manifest.json", "CARD.md.sigstore"])(
    "is denied, when a byte of %s changes",
    async (path) => {
      const changed = withFiles(keyless, { [path]: oneByteChanged(keyless.files.get(path)!.bytes) });
      expect(denial((await applied(changed)).ran)).toMatch(
        /^ {2}(?:MANIFEST_MALFORMED|BAD_SIGNATURE|UNTRUSTED_SIGNER) /m,
      );
    },
  );

  it("is denied, when a file is taken away or slipped in, also one that the format's tool passes over", async () => {
    const changed = withFiles(own.skill, {
      "references/a.md": undefined,
      "extra.py": "x\n",
      "scripts/hero.py": "x\n",
      "keys/ca.pem": "x\n",
    });
    const said = denial((await applied(changed)).ran);
    expect(said).toContain("  FILE_MISSING  references/a.md");
    for (const path of ["extra.py", "keys/ca.pem", "scripts/hero.py"])
      expect(said).toContain(`  FILE_UNSIGNED ${path}`);
  });

  it("is denied, when a stranger signed it, whatever the card says", async () => {
    const { ran } = await applied(trustCardSkill().skill);
    expect(denial(ran)).toContain("  UNTRUSTED_SIGNER signed with the Ed25519 key");
    const other = await keylessCardSkill({
      sigstore,
      draft: { identity: "https://github.com/mallory/skills" },
    });
    expect(denial((await applied(other.skill)).ran)).toMatch(
      /UNTRUSTED_SIGNER +signed by https:\/\/github\.com\/mallory\/skills /,
    );
  });

  it("is denied for what its permissions.yaml declares", async () => {
    const files = trustCardFiles("data-designer");
    const manifest = String(files["permissions.yaml"]).replace("network: none", "network: example.com");
    const { skill } = trustCardSkill({ key: own.key, files: { ...files, "permissions.yaml": manifest } });
    expect(denial((await applied(skill)).ran)).toContain('PERMISSION_DENIED the skill claims "network"');
  });

  it("is denied past the day that its card names", async () => {
    const { skill } = trustCardSkill({ key: own.key, draft: { expires: "2020-02-29" } });
    expect(denial((await applied(skill)).ran)).toContain(
      "  EXPIRED its card was to be relied on until 2020-02-29",
    );
  });

  it("is denied where the policy wants every byte signed: nobody signed the card itself", async () => {
    await govern("trust-card-strict", { evidence: { integrity: "STRONG" } });
    expect(denial((await applied(own.skill, "trust-card-strict")).ran)).toContain(
      "  GRADE_BELOW_MINIMUM integrity is MEDIUM, and evidence.integrity of the policy demands STRONG",
    );
  });

  it("does not lend its key to another format", async () => {
    const { ran } = await applied(signedSkill().skill);
    expect(denial(ran)).toContain("  UNTRUSTED_SIGNER ");
  });
});
