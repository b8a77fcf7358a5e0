import { X509Certificate } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { issueChain } from "../../fixtures/certificates.ts";
import { signOms } from "../../../src/signature/oms/sign.ts";
import { SkillFile } from "../../../src/skill/skill.ts";
import { skillFiles, sizes, type Size } from "../material/skills.ts";

/** A signed skill on disk, and the root that its chain ends in. */
export interface Subject {
  readonly title: string;
  readonly directory: string;
  /** PEM file. */
  readonly root: string;
}

const corpus = join(import.meta.dirname, "../../../../shared/corpus/nvidia");

const real: readonly (readonly [string, string])[] = [
  ["a real skill of median size", "cuopt-install"],
  ["the largest real skill", "omniverse-realtime-viewer"],
];

async function makeSubject(scratch: string, title: string, name: string, size: Size): Promise<Subject> {
  // The curve of the real publisher.
  const chain = await issueChain({ keyType: "P-384" });
  const root = join(scratch, `${name}-root.pem`);
  await writeFile(root, chain.root.pem);
  const directory = join(scratch, name);
  const files = skillFiles(name, size);
  const skill = { name, files: new Map([...files].map(([path, bytes]) => [path, new SkillFile(bytes)])) };
  files.set("skill.oms.sig", signOms(skill, { key: chain.leaf.key, certificates: chain.certificates }));
  for (const [path, bytes] of files) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), bytes);
  }
  return { title, directory, root };
}

/** Two real skills where the corpus is at hand, else two of the same sizes and curve. */
export async function subjects(scratch: string): Promise<readonly Subject[]> {
  if (!existsSync(corpus)) {
    return [
      await makeSubject(scratch, "a made skill of median size", "median", sizes.median),
      await makeSubject(scratch, "a made skill of the largest size", "largest", sizes.largest),
    ];
  }
  return real.map(([title, name]) => ({
    title,
    directory: join(corpus, "skills", name),
    root: join(corpus, "nv-agent-root-cert.pem"),
  }));
}

export const readRoot = async (file: string): Promise<X509Certificate> =>
  new X509Certificate(await readFile(file));
