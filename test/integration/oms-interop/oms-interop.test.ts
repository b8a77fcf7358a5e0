import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { signOms, type OmsSigner } from "../../../src/signature/oms/sign.ts";
import type { TrustMaterial } from "../../../src/signature/trust-material.ts";
import { verifySignature } from "../../../src/signature/verify.ts";
import type { Skill } from "../../../src/skill/skill.ts";
import { issueChain, trustOf } from "../../fixtures/certificates.ts";
import { readTree } from "../../fixtures/corpus.ts";
import { skillFiles, skillOf, withFiles } from "../../fixtures/signed-skill.ts";
import { startReference, type Reference, type ReferenceResult } from "./reference.ts";

const curves = ["P-256", "P-384", "P-521"] as const;
const methods = ["key", "certificate"] as const;
const cases = curves.flatMap((curve) => methods.map((method) => [curve, method] as const));

/** One signer in both worlds: our options, and the arguments and files of the reference. */
interface Identity {
  readonly signer: OmsSigner;
  readonly trust: TrustMaterial;
  readonly signArguments: readonly string[];
  readonly verifyArguments: readonly string[];
}

let reference: Reference;
let folder: string;

beforeAll(async () => {
  reference = await startReference();
  folder = await mkdtemp(join(tmpdir(), "oms-interop-"));
}, 300_000);

afterAll(async () => {
  await reference.close();
  await rm(folder, { recursive: true, force: true });
});

async function writeFileAt(path: string, content: string | Uint8Array): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
  return path;
}

/** The skill as a folder: names that sort differently by component and by code point, an empty file, a name in Unicode. */
async function writeSkill(parent: string): Promise<string> {
  const skill = skillOf("data-designer", {
    ...skillFiles("data-designer"),
    "references/empty.txt": "",
    "references-old/b.md": "older\n",
    "references.md": "see references\n",
    "references/größe 𝛼 ﬁ.md": "Unicode\n",
    "it's.md": "an apostrophe\n",
  });
  for (const [path, file] of skill.files) await writeFileAt(join(parent, skill.name, path), file.bytes);
  return join(parent, skill.name);
}

async function keyIdentity(curve: (typeof curves)[number], at: string): Promise<Identity> {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: curve });
  const publicKey = createPublicKey(privateKey);
  const secret = await writeFileAt(join(at, "key.pem"), privateKey.export({ type: "pkcs8", format: "pem" }));
  const open = await writeFileAt(join(at, "key.pub"), publicKey.export({ type: "spki", format: "pem" }));
  return {
    signer: { key: privateKey },
    trust: trustOf({ keys: [publicKey] }),
    signArguments: ["key", "--private_key", secret],
    verifyArguments: ["key", "--public_key", open],
  };
}

async function certificateIdentity(curve: (typeof curves)[number], at: string): Promise<Identity> {
  const { root, intermediate, leaf, certificates } = await issueChain({ keyType: curve });
  const secret = await writeFileAt(join(at, "key.pem"), leaf.keyPem);
  const signing = await writeFileAt(join(at, "leaf.pem"), leaf.pem);
  const above = await writeFileAt(join(at, "intermediate.pem"), intermediate.pem);
  const anchor = await writeFileAt(join(at, "root.pem"), root.pem);
  return {
    signer: { key: leaf.key, certificates },
    trust: trustOf({ anchors: [root.certificate] }),
    signArguments: [
      ...["certificate", "--private_key", secret],
      ...["--signing_certificate", signing, "--certificate_chain", above],
    ],
    verifyArguments: ["certificate", "--certificate_chain", anchor],
  };
}

/** A folder with a skill and a signer. */
async function arrange(curve: (typeof curves)[number], method: (typeof methods)[number]) {
  const at = await mkdtemp(join(folder, `${method}-${curve}-`));
  const identity = method === "key" ? await keyIdentity(curve, at) : await certificateIdentity(curve, at);
  return { identity, directory: await writeSkill(at) };
}

const signatureArguments = (directory: string): readonly string[] => [
  "--signature",
  join(directory, "skill.oms.sig"),
];

const verifyByReference = (identity: Identity, directory: string): Promise<ReferenceResult> =>
  reference.run(["verify", ...identity.verifyArguments, ...signatureArguments(directory), directory]);

const changeOneByte = (skill: Skill, path: string): Skill => {
  const bytes = Uint8Array.from(skill.files.get(path)!.bytes);
  bytes[0]! ^= 1;
  return withFiles(skill, { [path]: bytes });
};

describe("the reference signs, we verify", () => {
  it.concurrent.each(cases)("%s by %s", async (curve, method) => {
    const { identity, directory } = await arrange(curve, method);
    const result = await reference.run([
      ...["sign", ...identity.signArguments],
      ...[...signatureArguments(directory), directory],
    ]);
    expect(result.output).toContain("Signing succeeded");
    const skill = readTree(directory);
    const evidence = verifySignature(skill, identity.trust, Date.now());
    expect(evidence).toMatchObject({ outcome: "signed", unlisted: [], signer: { kind: method } });

    const changed = verifySignature(changeOneByte(skill, "references/a.md"), identity.trust, Date.now());
    expect(changed).toMatchObject({
      outcome: "tampered",
      differences: [{ path: "references/a.md", change: "modified" }],
    });
  });
});

describe("we sign, the reference verifies", () => {
  it.concurrent.each(cases)("%s by %s", async (curve, method) => {
    const { identity, directory } = await arrange(curve, method);
    const signature = signOms(readTree(directory), identity.signer);
    await writeFileAt(join(directory, "skill.oms.sig"), signature);
    const good = await verifyByReference(identity, directory);
    expect(good.output).toContain("Verification succeeded");
    expect(good.ok).toBe(true);

    const skill = readTree(directory);
    expect(verifySignature(skill, identity.trust, Date.now()).outcome).toBe("signed");
    await writeFileAt(
      join(directory, "scripts/run.sh"),
      changeOneByte(skill, "scripts/run.sh").files.get("scripts/run.sh")!.bytes,
    );
    const bad = await verifyByReference(identity, directory);
    expect(bad.ok).toBe(false);
    expect(bad.output).toMatch(/Hash mismatch for \\?'scripts\/run\.sh/);
    expect(verifySignature(readTree(directory), identity.trust, Date.now()).outcome).toBe("tampered");
  });

  it("with room for another signature, which breaks one without", async () => {
    const { identity, directory } = await arrange("P-256", "key");
    const skill = readTree(directory);
    await writeFileAt(join(directory, "skill.sig"), "{}");
    const verified = async (signer: OmsSigner): Promise<ReferenceResult> => {
      await writeFileAt(join(directory, "skill.oms.sig"), signOms(skill, signer));
      return verifyByReference(identity, directory);
    };
    const narrow = await verified(identity.signer);
    expect([narrow.ok, narrow.output]).toEqual([
      false,
      expect.stringMatching(/Extra files found in model '.*': skill\.sig/),
    ]);
    const roomy = await verified({ ...identity.signer, leftOut: ["skill.sig"] });
    expect([roomy.ok, roomy.output]).toEqual([true, expect.stringContaining("Verification succeeded")]);
  });

  it("gives the same root digest and the same order as the reference", async () => {
    const { identity, directory } = await arrange("P-256", "key");
    const statementOf = (bytes: Uint8Array): unknown => {
      const bundle = JSON.parse(Buffer.from(bytes).toString()) as { dsseEnvelope: { payload: string } };
      return JSON.parse(Buffer.from(bundle.dsseEnvelope.payload, "base64").toString());
    };
    const ours = statementOf(signOms(readTree(directory), identity.signer)) as Record<string, unknown>;
    await reference.run([
      ...["sign", ...identity.signArguments],
      ...[...signatureArguments(directory), directory],
    ]);
    const theirs = statementOf(readTree(directory).files.get("skill.oms.sig")!.bytes) as Record<
      string,
      unknown
    >;
    const { ignore_paths: ignored, ...serialization } = (
      theirs["predicate"] as { serialization: { ignore_paths: string[] } }
    ).serialization;
    expect(ours).toEqual({
      ...theirs,
      predicate: {
        ...(theirs["predicate"] as object),
        // The reference writes them in another order every time.
        serialization: { ...serialization, ignore_paths: [...ignored].sort() },
      },
    });
  });
});
