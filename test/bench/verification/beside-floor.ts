import { generateKeyPairSync, hash, sign, verify } from "node:crypto";
import { assess } from "../../../src/evaluation/assess.ts";
import type { TrustMaterial } from "../../../src/signature/trust-material.ts";
import { verifySignature } from "../../../src/signature/verify.ts";
import { SkillFile, type Skill } from "../../../src/skill/skill.ts";
import { median, spread } from "../statistics.ts";
import { figure, time } from "../table.ts";
import { ratio, rounds, sum, timed } from "./timing.ts";

/** A signed skill, and the least that must be done for it. */
export interface Subject {
  readonly name: string;
  /** Bytes by path, what signs them included. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly trust: TrustMaterial;
  /** Milliseconds since 1970, at which it is verified. */
  readonly now: number;
  /** Every signature that has to be checked. */
  readonly signatures: () => void;
  /** All that has to be hashed. */
  readonly hashed: Uint8Array;
}

/** What the rows are called. */
export interface Captions {
  readonly title: string;
  /** The signatures of the floor, in words. */
  readonly signatures: string;
  readonly hashed?: string;
}

/** Rows of a table with these columns behind the format's own: what is timed beside the least that must be done. */
export const columns = ["What", "Time", "Spread", "Ratio"];

/** One ECDSA check for each curve and message, under keys of its own: what a check costs does not depend on whose key it is. */
export function ecdsaChecks(checks: readonly (readonly ["P-256" | "P-384", Uint8Array])[]): () => void {
  const prepared = checks.map(([namedCurve, data]) => {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve });
    const algorithm = namedCurve === "P-256" ? "sha256" : "sha384";
    return { algorithm, data, publicKey, signature: sign(algorithm, data, privateKey) };
  });
  return () => {
    for (const { algorithm, data, publicKey, signature } of prepared)
      if (!verify(algorithm, data, publicKey, signature)) throw new Error("the floor's own check failed");
  };
}

/** The parts of the floor, and what we do; each call does all of it anew. */
function workOf({ name, files, trust, now, signatures, hashed }: Subject) {
  // Fresh files of fresh bytes: what was learnt of either is remembered.
  const fresh = (): Skill => ({
    name,
    files: new Map([...files].map(([path, bytes]) => [path, new SkillFile(bytes.subarray())])),
  });
  const must = ({ outcome }: { readonly outcome: string }): void => {
    if (outcome !== "signed") throw new Error(`${name} is ${outcome}, and was to be signed`);
  };
  return {
    signatures,
    digest: () => void hash("sha256", hashed, "buffer"),
    verification: () => must(verifySignature(fresh(), trust, now)),
    assessment: () => must(assess({ skill: fresh() }, trust, now).signature),
  };
}

/** The verification of one skill beside the signatures and the digest that nobody can do without. */
export async function rowsBesideFloor(
  { title, signatures, hashed = "SHA-256 of all bytes" }: Captions,
  subject: Subject,
): Promise<readonly (readonly string[])[]> {
  const work = workOf(subject);
  const names = Object.keys(work) as (keyof typeof work)[];
  const found: Record<keyof typeof work, number[]> = {
    signatures: [],
    digest: [],
    verification: [],
    assessment: [],
  };
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
    row(`floor: ${signatures}`, found.signatures),
    row(`floor: ${hashed}`, found.digest),
    row("verification, bytes in memory", found.verification),
    row("the same with the card read, as a review does it", found.assessment),
  ];
}
