import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Updater, type Fetcher } from "tuf-js";
import type { MirrorReference } from "../policy/trust/reference.ts";
import { maxTrustedRootLength } from "../signature/sigstore/root/trusted-root.ts";
import { MirrorFault } from "./mirror-remedy.ts";

/** Bounds on what a repository may publish. Sigstore's own has 6 KB of each. */
const limits = {
  maxRootRotations: 48,
  maxDelegations: 8,
  rootMaxLength: 512_000,
  timestampMaxLength: 16_384,
  snapshotMaxLength: 1_000_000,
  targetsMaxLength: 2_000_000,
} as const;

/** Bytes of the file: as many as the longest trusted root could have in UTF-8. */
const maxTargetBytes = 3 * maxTrustedRootLength;

/** Metadata that is kept from one look to the next, by which older metadata is refused. */
const kept = ["root.json", "timestamp.json", "snapshot.json", "targets.json"];

export interface Repository {
  readonly reference: MirrorReference;
  /** For metadata, which nobody else may write to. */
  readonly folder: string;
  readonly fetcher: Fetcher;
}

const updaterOf = ({ reference: { mirror }, folder, fetcher }: Repository): Updater =>
  new Updater({
    metadataDir: folder,
    metadataBaseUrl: mirror,
    targetBaseUrl: `${mirror}/targets`,
    fetcher,
    config: limits,
  });

/** Begins with the root that was handed in, unless a newer one of it is known. */
async function open(repository: Repository): Promise<Updater> {
  const { folder, reference } = repository;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    // Delegated roles would pile up under ever new names. That they are not rolled back, the snapshot says.
    const isKept = kept.includes(entry.name) && entry.isFile();
    if (!isKept) await rm(join(folder, entry.name), { force: true, recursive: true });
  }
  try {
    return updaterOf(repository);
  } catch {
    // None yet, or half a file because the process was killed over it.
    await writeFile(join(folder, "root.json"), reference.root, { mode: 0o600 });
  }
  try {
    return updaterOf(repository);
  } catch (cause) {
    const why = `tuf.root is no root.json that is signed by its own keys: ${(cause as Error).message}`;
    throw new MirrorFault(why, "correct tuf.root in the SkillTrustRoot", { cause });
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Asks a mirror for the present text of its file, by TUF's client workflow: signatures and thresholds, no version older than
 * one that was seen, nothing that has expired, length and digest of the file.
 * @throws Error in words, what is wrong with the mirror or what it publishes
 */
export async function readPublished(repository: Repository): Promise<string> {
  const { target } = repository.reference;
  const updater = await open(repository);
  await updater.refresh();
  const info = await updater.getTargetInfo(target);
  if (info === undefined)
    throw new MirrorFault(
      `it publishes no ${target}`,
      "correct tuf.target in the SkillTrustRoot, or have it published",
    );
  if (info.length > maxTargetBytes) throw new Error(`${target} is longer than ${maxTargetBytes} bytes`);
  if (!Object.keys(info.hashes).some((name) => ["sha256", "sha512"].includes(name)))
    throw new Error(`${target} has no SHA-256 or SHA-512 digest`);
  const file = join(repository.folder, "target");
  try {
    await updater.downloadTarget(info, file);
    return utf8.decode(await readFile(file));
  } finally {
    await rm(file, { force: true });
  }
}
