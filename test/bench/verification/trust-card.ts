import { createPublicKey, generateKeyPairSync, hash, sign, verify } from "node:crypto";
import { assess } from "../../../src/assess.ts";
import { readTrustedRoot } from "../../../src/signature/sigstore/trusted-root.ts";
import type { TrustMaterial } from "../../../src/signature/trust-material.ts";
import { verifySignature } from "../../../src/signature/verify.ts";
import { SkillFile, type Skill } from "../../../src/skill/skill.ts";
import { trustOf } from "../../fixtures/certificates.ts";
import { legacyBundle } from "../../fixtures/legacy-bundle.ts";
import { testSigstore } from "../../fixtures/sigstore.ts";
import { keylessSigning, trustCardSkill } from "../../fixtures/trust-card-skill.ts";
import { skillFiles, sizes, type Size } from "../material/skills.ts";
import { median, spread } from "../statistics.ts";
import { figure, time, type Table } from "../table.ts";
import { ratio, rounds, sum, timed } from "./timing.ts";

type Work = "signatures" | "digest" | "verification" | "assessment";

const name = "incident-summary";

interface Material {
  readonly skill: Skill;
  readonly trust: TrustMaterial;
  /** The signatures that have to be checked, whatever is done beside them. */
  readonly signatures: () => void;
}

const must = (ok: boolean): void => {
  if (!ok) throw new Error(`${name} was to be signed`);
};

function byKey(size: Size): Material {
  const { skill, trust, digest, key } = trustCardSkill({
    name,
    files: Object.fromEntries(skillFiles(name, size)),
  });
  const [publicKey, message] = [createPublicKey(key), Buffer.from(digest)];
  const signature = sign(null, message, key);
  return { skill, trust, signatures: () => must(verify(null, message, publicKey, signature)) };
}

/** Over the card's digest, the certificate (under an authority on P-384), its certificate timestamp, the log's promise. */
function keylessFloor(): () => void {
  const checks = [
    ["P-256", "sha256", Buffer.alloc(71)],
    ["P-384", "sha384", Buffer.alloc(700)],
    ["P-256", "sha256", Buffer.alloc(700)],
    ["P-256", "sha256", Buffer.alloc(3_000)],
  ] as const;
  const prepared = checks.map(([namedCurve, algorithm, data]) => {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve });
    return { algorithm, data, publicKey, signature: sign(algorithm, data, privateKey) };
  });
  return () => {
    for (const { algorithm, data, publicKey, signature } of prepared)
      must(verify(algorithm, data, publicKey, signature));
  };
}

async function keyless(size: Size): Promise<Material> {
  const sigstore = await testSigstore();
  const files = Object.fromEntries(skillFiles(name, size));
  const { skill, digest } = trustCardSkill({ name, files, draft: { signing: keylessSigning() } });
  const bundle = Buffer.from(JSON.stringify(await legacyBundle(sigstore, Buffer.from(digest))));
  const root = readTrustedRoot(JSON.stringify(sigstore.trustedRoot), ["bench/sigstore"]);
  return {
    skill: { name, files: new Map([...skill.files, ["CARD.md.sigstore", new SkillFile(bundle)]]) },
    trust: { ...trustOf({}), sigstore: [root] },
    signatures: keylessFloor(),
  };
}

/** The parts of the floor, and what we do; each call does all of it anew. */
function workOf({ skill, trust, signatures }: Material): Readonly<Record<Work, () => void>> {
  const contents = [...skill.files].map(([path, { bytes }]) => [path, bytes] as const);
  // Fresh files: a file remembers its digest, and the card's bytes what was read of them.
  const fresh = (): Skill => ({
    name,
    files: new Map(
      contents.map(([path, bytes]) => [path, new SkillFile(path === "CARD.md" ? Buffer.from(bytes) : bytes)]),
    ),
  });
  const all = Buffer.concat(contents.map(([, bytes]) => bytes));
  const now = Date.now();
  return {
    signatures,
    digest: () => void hash("sha256", all, "buffer"),
    verification: () => must(verifySignature(fresh(), trust, now).outcome === "signed"),
    assessment: () => must(assess(fresh(), trust, now).signature.outcome === "signed"),
  };
}

async function rowsOf(
  title: string,
  checks: string,
  material: Material,
): Promise<readonly (readonly string[])[]> {
  const work = workOf(material);
  const names = Object.keys(work) as Work[];
  const found: Record<Work, number[]> = { signatures: [], digest: [], verification: [], assessment: [] };
  for (const each of names) for (let warm = 0; warm < 3; warm += 1) await timed(work[each]);
  for (let round = 0; round < rounds; round += 1) {
    for (const each of names) found[each].push(median(await timed(work[each])));
  }
  const floor = sum(found.signatures, found.digest);
  const row = (what: string, values: readonly number[]): readonly string[] => [
    title,
    what,
    time(median(values)),
    `±${Math.round(spread(values) * 100)} %`,
    `${figure(ratio(values, floor))}×`,
  ];
  return [
    row(`floor: ${checks}`, found.signatures),
    row("floor: SHA-256 of all bytes", found.digest),
    row("verification, bytes in memory", found.verification),
    row("the same with the card read, as a review does it", found.assessment),
  ];
}

/** Trust cards, by key and keyless, beside the least that must be done for them, on made skills of a catalogue's sizes. */
export async function trustCardTable(progress: (text: string) => void): Promise<Table> {
  progress("verification: trust cards");
  const rows: (readonly string[])[] = [];
  for (const [what, size] of [
    ["a made skill of median size", sizes.median],
    ["a made skill of the largest size", sizes.largest],
  ] as const) {
    rows.push(...(await rowsOf(`${what}, by key`, "one Ed25519 check", byKey(size))));
    const checks = "four ECDSA checks, three on P-256 and one on P-384";
    rows.push(...(await rowsOf(`${what}, keyless`, checks, await keyless(size))));
  }
  return { columns: ["Trust card (CARD.md)", "What", "Time", "Spread", "Ratio"], rows };
}
