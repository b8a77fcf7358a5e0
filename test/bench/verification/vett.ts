import { generateKeyPairSync, hash, sign, verify } from "node:crypto";
import { assess } from "../../../src/assess.ts";
import { verifySignature } from "../../../src/signature/verify.ts";
import { SkillFile, type Skill } from "../../../src/skill/skill.ts";
import { testRegistry, vettSkill, type TestRegistry } from "../../fixtures/vett-skill.ts";
import { skillFiles, sizes, type Size } from "../material/skills.ts";
import { median, spread } from "../statistics.ts";
import { figure, time, type Table } from "../table.ts";
import { ratio, rounds, sum, timed } from "./timing.ts";

type Work = "signatures" | "digest" | "verification" | "assessment";

/** One check of each signature that the format rests on, all on P-256: the manifest's, the log's promise and its checkpoint. */
function signatureChecks(manifest: Uint8Array): () => void {
  const prepared = [manifest, Buffer.alloc(1_500), Buffer.alloc(150)].map((data) => {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    return { data, publicKey, signature: sign("sha256", data, privateKey) };
  });
  return () => {
    for (const { data, publicKey, signature } of prepared)
      if (!verify("sha256", data, publicKey, signature)) throw new Error("the floor's own check failed");
  };
}

/** The parts of the floor, and what we do; each call does all of it anew. */
async function workOf(registry: TestRegistry, size: Size): Promise<Readonly<Record<Work, () => void>>> {
  const name = "incident-summary";
  const files = Object.fromEntries(skillFiles(name, size));
  const { skill, manifest, trust } = await vettSkill({ name, files, registry });
  // Fresh files: a file remembers its digest.
  const fresh = (): Skill => ({
    name,
    files: new Map([...skill.files].map(([path, { bytes }]) => [path, new SkillFile(bytes)])),
  });
  const all = Buffer.concat([...skill.files.values()].map(({ bytes }) => bytes));
  const must = ({ outcome }: { readonly outcome: string }): void => {
    if (outcome !== "signed") throw new Error(`${name} is ${outcome}, and was to be signed`);
  };
  return {
    signatures: signatureChecks(Buffer.from(manifest)),
    digest: () => void hash("sha256", all, "buffer"),
    verification: () => must(verifySignature(fresh(), trust, 0)),
    assessment: () => must(assess(fresh(), trust, 0).signature),
  };
}

async function rowsOf(
  title: string,
  registry: TestRegistry,
  size: Size,
): Promise<readonly (readonly string[])[]> {
  const work = await workOf(registry, size);
  const names = Object.keys(work) as Work[];
  const found: Record<Work, number[]> = { signatures: [], digest: [], verification: [], assessment: [] };
  for (const name of names) for (let warm = 0; warm < 3; warm += 1) await timed(work[name]);
  for (let round = 0; round < rounds; round += 1) {
    for (const name of names) found[name].push(median(await timed(work[name])));
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
    row("floor: three ECDSA checks on P-256, one over the manifest", found.signatures),
    row("floor: SHA-256 of all bytes, the manifest's included", found.digest),
    row("verification, bytes in memory", found.verification),
    row("the same with the card read, as a review does it", found.assessment),
  ];
}

/** Vett's format beside the least that must be done for it, on made skills of a catalogue's sizes. */
export async function vettTable(progress: (text: string) => void): Promise<Table> {
  progress("verification: Vett's format");
  const registry = await testRegistry();
  return {
    columns: ["Vett's format (vett.sigstore.json)", "What", "Time", "Spread", "Ratio"],
    rows: [
      ...(await rowsOf("a made skill of median size", registry, sizes.median)),
      ...(await rowsOf("a made skill of the largest size", registry, sizes.largest)),
    ],
  };
}
