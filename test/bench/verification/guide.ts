import { createPublicKey, generateKeyPairSync, hash, verify } from "node:crypto";
import { assess } from "../../../src/assess.ts";
import { signGuide } from "../../../src/signature/guide/sign.ts";
import { verifySignature } from "../../../src/signature/verify.ts";
import { SkillFile, type Skill } from "../../../src/skill/skill.ts";
import { trustOf } from "../../fixtures/certificates.ts";
import { skillFiles, sizes, type Size } from "../material/skills.ts";
import { median, spread } from "../statistics.ts";
import { figure, time, type Table } from "../table.ts";
import { ratio, rounds, sum, timed } from "./timing.ts";

const card = (name: string): string => `schema_version: "1.0"
name: ${name}
version: "1.0.0"
author: Example Platform Team
license: Apache-2.0
intent: Summarise a production incident.
permissions: [Read]
risks:
  - description: The summary may name a cause that the timeline does not support.
    mitigation: A second engineer reads every summary before it is sent.
`;

type Work = "signature" | "digest" | "verification" | "assessment";

/** The parts of the floor, and what we do; each call does all of it anew. */
function workOf(name: string, size: Size): Readonly<Record<Work, () => void>> {
  const { privateKey: key } = generateKeyPairSync("ed25519");
  const publicKey = createPublicKey(key);
  const contents = skillFiles(name, size);
  contents.delete("skill-card.md");
  contents.set("skill_card.yaml", Buffer.from(card(name)));
  // Fresh files: a file remembers its digest.
  const fresh = (): Skill => ({
    name,
    files: new Map([...contents].map(([path, bytes]) => [path, new SkillFile(bytes)])),
  });
  const all = Buffer.concat([...contents.values()]);
  const signatureFile = Buffer.from(signGuide(fresh(), key));
  contents.set("skill.sig", signatureFile);
  const { manifest, signature } = JSON.parse(signatureFile.toString()) as Record<string, string>;
  const [signed, bytes] = [Buffer.from(manifest ?? ""), Buffer.from(signature ?? "", "hex")];
  const trust = trustOf({ keys: [publicKey] });
  const must = (ok: boolean): void => {
    if (!ok) throw new Error(`${name} was to be signed`);
  };
  return {
    signature: () => must(verify(null, signed, publicKey, bytes)),
    digest: () => void hash("sha256", all, "buffer"),
    verification: () => must(verifySignature(fresh(), trust, 0).outcome === "signed"),
    assessment: () => must(assess(fresh(), trust, 0).signature.outcome === "signed"),
  };
}

async function rowsOf(title: string, size: Size): Promise<readonly (readonly string[])[]> {
  const work = workOf("incident-summary", size);
  const names = Object.keys(work) as Work[];
  const found: Record<Work, number[]> = { signature: [], digest: [], verification: [], assessment: [] };
  for (const name of names) for (let warm = 0; warm < 3; warm += 1) await timed(work[name]);
  for (let round = 0; round < rounds; round += 1) {
    for (const name of names) found[name].push(median(await timed(work[name])));
  }
  const floor = sum(found.signature, found.digest);
  const row = (what: string, values: readonly number[]): readonly string[] => [
    title,
    what,
    time(median(values)),
    `±${Math.round(spread(values) * 100)} %`,
    `${figure(ratio(values, floor))}×`,
  ];
  return [
    row("floor: one Ed25519 check", found.signature),
    row("floor: SHA-256 of all bytes", found.digest),
    row("verification, bytes in memory", found.verification),
    row("the same with the card read, as a review does it", found.assessment),
  ];
}

/** The guide's format beside the least that must be done for it, on made skills of a catalogue's sizes. */
export async function guideTable(progress: (text: string) => void): Promise<Table> {
  progress("verification: the guide's format");
  return {
    columns: ["Guide's format (skill.sig)", "What", "Time", "Spread", "Ratio"],
    rows: [
      ...(await rowsOf("a made skill of median size", sizes.median)),
      ...(await rowsOf("a made skill of the largest size", sizes.largest)),
    ],
  };
}
