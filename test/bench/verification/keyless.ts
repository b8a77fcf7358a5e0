import { generateKeyPairSync, hash, sign, verify } from "node:crypto";
import { assess } from "../../../src/assess.ts";
import { omsStatement } from "../../../src/signature/oms/sign.ts";
import { readTrustedRoot } from "../../../src/signature/sigstore/trusted-root.ts";
import { verifySignature } from "../../../src/signature/verify.ts";
import { SkillFile, type Skill } from "../../../src/skill/skill.ts";
import { trustOf } from "../../fixtures/certificates.ts";
import { testSigstore, type TestSigstore } from "../../fixtures/sigstore.ts";
import { skillFiles, sizes, type Size } from "../material/skills.ts";
import { median, spread } from "../statistics.ts";
import { figure, time, type Table } from "../table.ts";
import { ratio, rounds, sum, timed } from "./timing.ts";

type Work = "signatures" | "digest" | "verification" | "assessment";

/**
 * One check of each signature that keyless verification rests on: the envelope, the certificate's own (under an authority
 * on P-384), its certificate timestamp, the log's checkpoint and its promise. What a check costs depends on the
 * curve, not on whose key it is.
 */
function signatureChecks(statement: Uint8Array): () => void {
  const checks = [
    ["P-256", statement],
    ["P-384", Buffer.alloc(700)],
    ["P-256", Buffer.alloc(700)],
    ["P-256", Buffer.alloc(150)],
    ["P-256", Buffer.alloc(3_000)],
  ] as const;
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
async function workOf(sigstore: TestSigstore, size: Size): Promise<Readonly<Record<Work, () => void>>> {
  const name = "incident-summary";
  const contents = skillFiles(name, size);
  // Fresh files: a file remembers its digest.
  const fresh = (): Skill => ({
    name,
    files: new Map([...contents].map(([path, bytes]) => [path, new SkillFile(bytes)])),
  });
  const all = Buffer.concat([...contents.values()]);
  const statement = omsStatement(fresh());
  contents.set("skill.oms.sig", Buffer.from(JSON.stringify(await sigstore.sign(statement))));
  const root = readTrustedRoot(JSON.stringify(sigstore.trustedRoot), ["bench/sigstore"]);
  const trust = { ...trustOf({}), sigstore: [root] };
  const must = ({ outcome }: { readonly outcome: string }): void => {
    if (outcome !== "signed") throw new Error(`${name} is ${outcome}, and was to be signed`);
  };
  const now = Date.now();
  return {
    signatures: signatureChecks(statement),
    digest: () => void hash("sha256", all, "buffer"),
    verification: () => must(verifySignature(fresh(), trust, now)),
    assessment: () => must(assess(fresh(), trust, now).signature),
  };
}

async function rowsOf(
  title: string,
  sigstore: TestSigstore,
  size: Size,
): Promise<readonly (readonly string[])[]> {
  const work = await workOf(sigstore, size);
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
    row("floor: five ECDSA checks, four on P-256 and one on P-384", found.signatures),
    row("floor: SHA-256 of all bytes", found.digest),
    row("verification, bytes in memory", found.verification),
    row("the same with the card read, as a review does it", found.assessment),
  ];
}

/** Keyless signatures beside the least that must be done for them, on made skills of a catalogue's sizes. */
export async function keylessTable(progress: (text: string) => void): Promise<Table> {
  progress("verification: keyless signatures");
  const sigstore = await testSigstore();
  return {
    columns: ["Keyless (Sigstore)", "What", "Time", "Spread", "Ratio"],
    rows: [
      ...(await rowsOf("a made skill of median size", sigstore, sizes.median)),
      ...(await rowsOf("a made skill of the largest size", sigstore, sizes.largest)),
    ],
  };
}
