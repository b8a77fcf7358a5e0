import { createHash } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  normalMirror,
  referenceKey,
  type MirrorReference,
  type NamedReference,
  type ResolvedReference,
} from "../policy/trust/reference.ts";
import { notAllowed } from "./no-mirrors.ts";
import { followMirror, type Followed, type MirrorClock, type MirrorState } from "./follow-mirror.ts";

/** One entry of a trust root that a mirror supplies. */
export interface SuppliedEntry extends MirrorState {
  /** `trust-root/entry`. */
  readonly name: string;
}

export interface TufMirrorsOptions {
  /** Base URLs of mirrors that may be contacted. */
  readonly allowed: readonly string[];
  /** Folder for metadata and last good roots; absent: a temporary one that the process removes. */
  readonly folder?: string | undefined;
  readonly clock: MirrorClock;
  /** Called for each request: aborts when it has taken too long. */
  readonly deadline: () => AbortSignal;
  /** Runs with one sentence when a mirror begins to fail, and when its root cannot be stored. */
  readonly onProblem: (message: string) => void;
  readonly onRecovered: (message: string) => void;
  /** Runs after each update and each change of the followed mirrors, with the state of all entries. */
  readonly onState: (entries: readonly SuppliedEntry[]) => void;
}

/** Trusted roots from TUF mirrors, kept up to date in the background. */
export interface TufMirrors {
  follow(references: readonly NamedReference[]): void;
  read(reference: MirrorReference): ResolvedReference;
  /** True while a stored root is still being read: moments, without waiting for a mirror. */
  pending(): boolean;
  /** Calls back after each change of a result of `read` or `pending`. */
  onChange(changed: () => void): void;
  /** Ends all requests. Safe to call twice. */
  close(): Promise<void>;
}

/** Most repositories at a time. */
export const maxRepositories = 16;

const folderName = (key: string): string => createHash("sha256").update(key).digest("hex");
const isFolderName = (name: string): boolean => /^[0-9a-f]{64}$/.test(name);

/** Removes the folders of repositories that are no longer followed. */
async function prune(folder: string, keys: readonly string[]): Promise<void> {
  const names = new Set(keys.map(folderName));
  for (const name of await readdir(folder))
    if (isFolderName(name) && !names.has(name))
      await rm(join(folder, name), { recursive: true, force: true });
}

interface Entry {
  readonly reference: MirrorReference;
  names: readonly string[];
  readonly followed: Followed;
}

/** The followed repositories. */
class Mirrors implements TufMirrors {
  readonly #options: TufMirrorsOptions;
  readonly #allowed: ReadonlySet<string>;
  readonly #entries = new Map<string, Entry>();
  readonly #changed: (() => void)[] = [];
  /** Repositories whose arrival has already removed the folders of others. */
  readonly #pruned = new Set<string>();
  #folder: Promise<string> | undefined;
  #ending: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(options: TufMirrorsOptions) {
    this.#options = options;
    this.#allowed = new Set(options.allowed.map(normalMirror));
  }

  follow(references: readonly NamedReference[]): void {
    if (this.#closed) return;
    const wanted = this.#wanted(references);
    let changed = false;
    for (const [key, { followed }] of this.#entries) {
      if (wanted.has(key)) continue;
      this.#entries.delete(key);
      this.#ending = Promise.all([this.#ending, followed.close()]);
      changed = true;
    }
    for (const [key, { reference, names }] of wanted) {
      const known = this.#entries.get(key);
      changed ||= known === undefined;
      if (known === undefined)
        this.#entries.set(key, { reference, names, followed: this.#start(key, reference) });
      else known.names = names;
    }
    if (changed) this.#tell();
  }

  /** Repositories to follow: those whose mirror may be contacted, each with all its entries' names. */
  #wanted(
    references: readonly NamedReference[],
  ): ReadonlyMap<string, { readonly reference: MirrorReference; readonly names: readonly string[] }> {
    const wanted = new Map<
      string,
      { readonly reference: MirrorReference; readonly names: readonly string[] }
    >();
    for (const { name, reference } of references) {
      if (reference.kind !== "TUF" || !this.#allowed.has(reference.mirror)) continue;
      const key = referenceKey(reference);
      const known = wanted.get(key);
      if (known === undefined && wanted.size >= maxRepositories) continue;
      wanted.set(key, { reference, names: [...(known?.names ?? []), name] });
    }
    return wanted;
  }

  #start(key: string, reference: MirrorReference): Followed {
    const { clock, deadline, onProblem, onRecovered } = this.#options;
    const before = this.#ending;
    return followMirror({
      reference,
      // An earlier follower of the same folder must have ended.
      folder: () => before.then(() => this.#home()).then((home) => join(home, folderName(key))),
      clock,
      deadline,
      onProblem,
      onRecovered,
      onChange: () => {
        for (const changed of this.#changed) changed();
      },
      onLook: () => this.#tell(),
    });
  }

  /**
   * The folder of all repositories. Each new repository first removes the folders of those that are no longer
   * followed.
   */
  async #home(): Promise<string> {
    const { folder } = this.#options;
    this.#folder ??=
      folder === undefined ? mkdtemp(join(tmpdir(), "skill-admission-tuf-")) : Promise.resolve(folder);
    try {
      const home = await this.#folder;
      const keys = [...this.#entries.keys()];
      if (keys.some((key) => !this.#pruned.has(key))) await prune(home, keys).catch(() => undefined);
      for (const key of keys) this.#pruned.add(key);
      return home;
    } catch (error) {
      this.#folder = undefined;
      throw error;
    }
  }

  #tell(): void {
    this.#options.onState(
      [...this.#entries.values()].flatMap(({ names, followed }) =>
        names.map((name) => ({ name, ...followed.state() })),
      ),
    );
  }

  read(reference: MirrorReference): ResolvedReference {
    const { mirror } = reference;
    if (!this.#allowed.has(mirror)) return notAllowed(reference);
    const entry = this.#entries.get(referenceKey(reference));
    if (entry !== undefined) return entry.followed.read();
    return this.#entries.size < maxRepositories
      ? { fault: `${mirror} is not asked yet; wait a moment` }
      : { fault: `${mirror} is not asked: ${maxRepositories} repositories are followed already; name fewer` };
  }

  pending(): boolean {
    return [...this.#entries.values()].some(({ followed }) => followed.pending());
  }

  onChange(changed: () => void): void {
    this.#changed.push(changed);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const all = [...this.#entries.values()].map(({ followed }) => followed.close());
    this.#entries.clear();
    await Promise.all([this.#ending, ...all]);
    const home = await this.#folder?.catch(() => undefined);
    if (this.#options.folder === undefined && home !== undefined)
      await rm(home, { recursive: true, force: true });
  }
}

/** Follows the mirrors that trust roots name, as far as they may be contacted. */
export const createTufMirrors = (options: TufMirrorsOptions): TufMirrors => new Mirrors(options);
