import { createPublicKey, generateKeyPairSync, verify } from "node:crypto";
import { signGuide } from "../../../src/signature/guide/sign.ts";
import { SkillFile } from "../../../src/skill/skill.ts";
import { trustOf } from "../../fixtures/certificates.ts";
import { skillFiles, sizes, type Size } from "../material/skills.ts";
import type { Table } from "../table.ts";
import { columns, rowsBesideFloor, type Subject } from "./beside-floor.ts";

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

function subjectOf(size: Size): Subject {
  const name = "incident-summary";
  const { privateKey: key } = generateKeyPairSync("ed25519");
  const publicKey = createPublicKey(key);
  const files = skillFiles(name, size);
  files.delete("skill-card.md");
  files.set("skill_card.yaml", Buffer.from(card(name)));
  const hashed = Buffer.concat([...files.values()]);
  const skill = { name, files: new Map([...files].map(([path, bytes]) => [path, new SkillFile(bytes)])) };
  const signatureFile = Buffer.from(signGuide(skill, key));
  files.set("skill.sig", signatureFile);
  const { manifest, signature } = JSON.parse(signatureFile.toString()) as Record<string, string>;
  const [signed, bytes] = [Buffer.from(manifest ?? ""), Buffer.from(signature ?? "", "hex")];
  return {
    name,
    files,
    trust: trustOf({ keys: [publicKey] }),
    now: 0,
    signatures: () => {
      if (!verify(null, signed, publicKey, bytes)) throw new Error("the floor's own check failed");
    },
    hashed,
  };
}

const rowsOf = (title: string, size: Size) =>
  rowsBesideFloor({ title, signatures: "one Ed25519 check" }, subjectOf(size));

/** The guide's format beside the least that must be done for it, on made skills of a catalogue's sizes. */
export async function guideTable(progress: (text: string) => void): Promise<Table> {
  progress("verification: the guide's format");
  return {
    columns: ["Guide's format (skill.sig)", ...columns],
    rows: [
      ...(await rowsOf("a made skill of median size", sizes.median)),
      ...(await rowsOf("a made skill of the largest size", sizes.largest)),
    ],
  };
}
