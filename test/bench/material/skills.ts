import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { signOms } from "../../../src/signature/oms/sign.ts";
import { SkillFile, type Skill } from "../../../src/skill/skill.ts";

/** Sizes of skills: the median of the public catalogue, its largest, and one for long streams. */
export const sizes = {
  median: { files: 7, bytes: 55 * 1024 },
  largest: { files: 125, bytes: 1200 * 1024 },
  mebibyte: { files: 8, bytes: 1024 * 1024 - 4096 },
  small: { files: 3, bytes: 4 * 1024 },
} as const;

export type Size = (typeof sizes)[keyof typeof sizes];

const encoder = new TextEncoder();

const frontmatter = (name: string, serial: number): string => `---
name: ${name}
description: Summarise a production incident from its timeline into a short report for stakeholders.
license: Apache-2.0
metadata:
  version: 1.0.${serial}
---

# ${name}

Read the timeline, then write what happened, whom it touched and what will be done about it.
`;

const card = `## Description: <br>
Summarise a production incident from its timeline into a short report for stakeholders. <br>

## Owner
Example Platform Team <br>

### License/Terms of Use: <br>
Apache-2.0 <br>

## Use Case: <br>
On-call engineers who write the summary of an incident after it was resolved. <br>

## Known Risks and Mitigations: <br>
Risk: The summary may name a cause that the timeline does not support. <br>
Mitigation: A second engineer reads every summary before it is sent. <br>

## Skill Output: <br>
**Output Type(s):** [Text] <br>
**Output Format:** [Markdown] <br>
`;

const line = "Write down what was seen, when it was seen and by whom; leave out what was only guessed.\n";

/** Text of exactly so many bytes that is different for every seed. */
function filler(bytes: number, seed: string): Uint8Array {
  const text = `${seed}\n`.padEnd(Math.max(bytes, seed.length + 1), line);
  return encoder.encode(text.slice(0, Math.max(bytes, seed.length + 1)));
}

/**
 * The files of an unsigned skill of that size: SKILL.md, a card that lists a risk with its mitigation, and references.
 * Two serial numbers give two different skills.
 */
export function skillFiles(name: string, size: Size, serial = 0): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>([
    ["SKILL.md", encoder.encode(frontmatter(name, serial))],
    ["skill-card.md", encoder.encode(card)],
  ]);
  const used = [...files.values()].reduce((sum, bytes) => sum + bytes.byteLength, 0);
  const references = size.files - files.size;
  for (let at = 0; at < references; at += 1) {
    const bytes = Math.floor((size.bytes - used) / references);
    files.set(`references/part-${at}.md`, filler(bytes, `# Part ${at} of ${name} ${serial}`));
  }
  return files;
}

/** A signing key, with its public half as policies name it. */
export interface BenchKey {
  readonly privateKey: KeyObject;
  readonly publicPem: string;
}

export function makeKey(namedCurve = "P-256"): BenchKey {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve });
  return { privateKey, publicPem: publicKey.export({ type: "spki", format: "pem" }) as string };
}

const asSkill = (name: string, files: ReadonlyMap<string, Uint8Array>): Skill => ({
  name,
  files: new Map([...files].map(([path, bytes]) => [path, new SkillFile(bytes)])),
});

export interface MakeOptions {
  readonly key: BenchKey;
  readonly size: Size;
  readonly serial?: number;
  /** Is a byte changed after signing. */
  readonly broken?: boolean;
}

/** A signed skill. */
export function signedSkill(name: string, { key, size, serial, broken = false }: MakeOptions): Skill {
  const files = skillFiles(name, size, serial);
  const skill = asSkill(name, files);
  files.set("skill.oms.sig", signOms(skill, { key: key.privateKey }));
  if (broken) files.set("references/part-0.md", encoder.encode("# Changed after it was signed\n"));
  return asSkill(name, files);
}
