import { omsStatement } from "../../../src/signature/oms/sign.ts";
import { readTrustedRoot } from "../../../src/signature/sigstore/root/trusted-root.ts";
import { SkillFile } from "../../../src/skill/skill.ts";
import { trustOf } from "../../fixtures/certificates.ts";
import { testSigstore, type TestSigstore } from "../../fixtures/sigstore.ts";
import { skillFiles, sizes, type Size } from "../material/skills.ts";
import type { Table } from "../table.ts";
import { columns, ecdsaChecks, rowsBesideFloor, type Subject } from "./beside-floor.ts";

async function subjectOf(sigstore: TestSigstore, size: Size): Promise<Subject> {
  const name = "incident-summary";
  const files = skillFiles(name, size);
  const hashed = Buffer.concat([...files.values()]);
  const statement = omsStatement({
    name,
    files: new Map([...files].map(([path, bytes]) => [path, new SkillFile(bytes)])),
  });
  files.set("skill.oms.sig", Buffer.from(JSON.stringify(await sigstore.sign(statement))));
  const root = readTrustedRoot(JSON.stringify(sigstore.trustedRoot), ["bench/sigstore"]);
  return {
    name,
    files,
    trust: { ...trustOf({}), sigstore: [root] },
    now: Date.now(),
    // The envelope, the certificate's own (under an authority on P-384), its timestamp, the log's checkpoint and promise.
    signatures: ecdsaChecks([
      ["P-256", statement],
      ["P-384", Buffer.alloc(700)],
      ["P-256", Buffer.alloc(700)],
      ["P-256", Buffer.alloc(150)],
      ["P-256", Buffer.alloc(3_000)],
    ]),
    hashed,
  };
}

/** Keyless signatures beside the least that must be done for them, on made skills of a catalogue's sizes. */
export async function keylessTable(progress: (text: string) => void): Promise<Table> {
  progress("verification: keyless signatures");
  const sigstore = await testSigstore();
  const rowsOf = async (title: string, size: Size) =>
    rowsBesideFloor(
      { title, signatures: "five ECDSA checks, four on P-256 and one on P-384" },
      await subjectOf(sigstore, size),
    );
  return {
    columns: ["Keyless (Sigstore)", ...columns],
    rows: [
      ...(await rowsOf("a made skill of median size", sizes.median)),
      ...(await rowsOf("a made skill of the largest size", sizes.largest)),
    ],
  };
}
