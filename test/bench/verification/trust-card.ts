import { createPublicKey, sign, verify } from "node:crypto";
import { readTrustedRoot } from "../../../src/signature/sigstore/root/trusted-root.ts";
import type { TrustMaterial } from "../../../src/signature/trust-material.ts";
import type { Skill } from "../../../src/skill/skill.ts";
import { trustOf } from "../../fixtures/certificates.ts";
import { legacyBundle } from "../../fixtures/legacy-bundle.ts";
import { testSigstore } from "../../fixtures/sigstore.ts";
import { keylessSigning, trustCardSkill } from "../../fixtures/trust-card-skill.ts";
import { skillFiles, sizes, type Size } from "../material/skills.ts";
import type { Table } from "../table.ts";
import { columns, ecdsaChecks, rowsBesideFloor, type Subject } from "./beside-floor.ts";

const name = "incident-summary";

const subjectOf = ({ files }: Skill, trust: TrustMaterial, signatures: () => void): Subject => ({
  name,
  files: new Map([...files].map(([path, { bytes }]) => [path, bytes])),
  trust,
  now: Date.now(),
  signatures,
  hashed: Buffer.concat([...files.values()].map(({ bytes }) => bytes)),
});

function byKey(size: Size): Subject {
  const { skill, trust, digest, key } = trustCardSkill({
    name,
    files: Object.fromEntries(skillFiles(name, size)),
  });
  const [publicKey, message] = [createPublicKey(key), Buffer.from(digest)];
  const signature = sign(null, message, key);
  return subjectOf(skill, trust, () => {
    if (!verify(null, message, publicKey, signature)) throw new Error("the floor's own check failed");
  });
}

async function keyless(size: Size): Promise<Subject> {
  const sigstore = await testSigstore();
  const files = Object.fromEntries(skillFiles(name, size));
  const { skill, digest } = trustCardSkill({ name, files, draft: { signing: keylessSigning() } });
  const bundle = Buffer.from(JSON.stringify(await legacyBundle(sigstore, Buffer.from(digest))));
  const root = readTrustedRoot(JSON.stringify(sigstore.trustedRoot), ["bench/sigstore"]);
  const subject = subjectOf(
    skill,
    { ...trustOf({}), sigstore: [root] },
    // Over the card's digest, the certificate (under an authority on P-384), its timestamp, the log's promise.
    ecdsaChecks([
      ["P-256", Buffer.alloc(71)],
      ["P-384", Buffer.alloc(700)],
      ["P-256", Buffer.alloc(700)],
      ["P-256", Buffer.alloc(3_000)],
    ]),
  );
  return { ...subject, files: new Map([...subject.files, ["CARD.md.sigstore", bundle]]) };
}

/** Trust cards, by key and keyless, beside the least that must be done for them, on made skills of a catalogue's sizes. */
export async function trustCardTable(progress: (text: string) => void): Promise<Table> {
  progress("verification: trust cards");
  const rows: (readonly string[])[] = [];
  for (const [what, size] of [
    ["a made skill of median size", sizes.median],
    ["a made skill of the largest size", sizes.largest],
  ] as const) {
    rows.push(
      ...(await rowsBesideFloor({ title: `${what}, by key`, signatures: "one Ed25519 check" }, byKey(size))),
    );
    const signatures = "four ECDSA checks, three on P-256 and one on P-384";
    rows.push(...(await rowsBesideFloor({ title: `${what}, keyless`, signatures }, await keyless(size))));
  }
  return { columns: ["Trust card (CARD.md)", ...columns], rows };
}
