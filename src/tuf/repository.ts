import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Updater, type Fetcher } from "tuf-js";
import type { MirrorReference } from "../policy/trust/reference.ts";
import { maxTrustedRootLength } from "../signature/sigstore/root/trusted-root.ts";
import { MirrorFault } from "./mirror-remedy.ts";

/** Bounds on a repository's metadata. Sigstore's own has 6 KB of each. */
const limits = {
  maxRootRotations: 48,
  maxDelegations: 8,
  rootMaxLength: 512_000,
  timestampMaxLength: 16_384,
  snapshotMaxLength: 1_000_000,
  targetsMaxLength: 2_000_000,
} as const;

/** Bytes of the target file: the longest trusted root in UTF-8. */
const maxTargetBytes = 3 * maxTrustedRootLength;

/** Metadata that is kept between updates: it detects a rollback to older versions. */
const kept = ["root.json", "timestamp.json", "snapshot.json", "targets.json"];

export interface Repository {
  readonly reference: MirrorReference;
  /** Folder for metadata, writable for this process alone. */
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

/** Opens the repository with the newest known root, or with the root that the reference holds. */
async function open(repository: Repository): Promise<Updater> {
  const { folder, reference } = repository;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    // Delegated roles would pile up under new names; the snapshot protects them from a rollback.
    const isKept = kept.includes(entry.name) && entry.isFile();
    if (!isKept) await rm(join(folder, entry.name), { force: true, recursive: true });
  }
  try {
    return updaterOf(repository);
  } catch {
    // No root yet, or half a file after the process was killed.
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
 * Fetches the present target from a mirror by TUF's client workflow (TUF specification, 5): signatures and
 * thresholds, no rollback, no expired metadata, length and digest of the target.
 * @throws Error in words, for a fault of the mirror or of its metadata
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
