import { testRegistry, vettSkill, type TestRegistry } from "../../fixtures/vett-skill.ts";
import { skillFiles, sizes, type Size } from "../material/skills.ts";
import type { Table } from "../table.ts";
import { columns, ecdsaChecks, rowsBesideFloor, type Subject } from "./beside-floor.ts";

async function subjectOf(registry: TestRegistry, size: Size): Promise<Subject> {
  const name = "incident-summary";
  const { skill, manifest, trust } = await vettSkill({
    name,
    files: Object.fromEntries(skillFiles(name, size)),
    registry,
  });
  const files = new Map([...skill.files].map(([path, { bytes }]) => [path, bytes]));
  return {
    name,
    files,
    trust,
    now: 0,
    // The manifest's, the log's promise and its checkpoint.
    signatures: ecdsaChecks([
      ["P-256", Buffer.from(manifest)],
      ["P-256", Buffer.alloc(1_500)],
      ["P-256", Buffer.alloc(150)],
    ]),
    hashed: Buffer.concat([...files.values()]),
  };
}

/** Vett's format beside the least that must be done for it, on made skills of a catalogue's sizes. */
export async function vettTable(progress: (text: string) => void): Promise<Table> {
  progress("verification: Vett's format");
  const registry = await testRegistry();
  const rowsOf = async (title: string, size: Size) =>
    rowsBesideFloor(
      {
        title,
        signatures: "three ECDSA checks on P-256, one over the manifest",
        hashed: "SHA-256 of all bytes, the manifest's included",
      },
      await subjectOf(registry, size),
    );
  return {
    columns: ["Vett's format (vett.sigstore.json)", ...columns],
    rows: [
      ...(await rowsOf("a made skill of median size", sizes.median)),
      ...(await rowsOf("a made skill of the largest size", sizes.largest)),
    ],
  };
}
