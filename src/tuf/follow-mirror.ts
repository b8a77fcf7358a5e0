import { join } from "node:path";
import { defined } from "../text/fields.ts";
import type { MirrorReference, ResolvedReference } from "../policy/trust/reference.ts";
import { printable } from "../text/printable.ts";
import { SignatureError } from "../signature/signature-error.ts";
import { readTrustedRoot } from "../signature/sigstore/root/trusted-root.ts";
import { createFetcher } from "./fetcher.ts";
import { loadLastGood, saveLastGood } from "./last-good.ts";
import { MirrorFault, mirrorRemedy } from "./mirror-remedy.ts";
import { readPublished } from "./repository.ts";

/** Clock of a mirror, milliseconds. */
export interface MirrorClock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Resolves after that time, or as soon as the signal aborts. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
  /** 0 to 1: replicas must not all send requests at the same moment. */
  random(): number;
}

/** State of a mirror. */
export interface MirrorState {
  /** True if the last update succeeded. */
  readonly up: boolean;
  /** Last success, milliseconds since 1970; survives restarts where the folder does. */
  readonly lastSuccess?: number;
}

export interface FollowOptions {
  readonly reference: MirrorReference;
  /** Folder for metadata and for the last good root. */
  readonly folder: () => Promise<string>;
  readonly clock: MirrorClock;
  readonly deadline: () => AbortSignal;
  /** Runs when the mirror begins to fail, not at every further attempt, and whenever its root cannot be stored. */
  readonly onProblem: (message: string) => void;
  readonly onRecovered: (message: string) => void;
  /** Runs after each change of a result of `read` or `pending`. */
  readonly onChange: () => void;
  /** Runs after each update. */
  readonly onLook: () => void;
}

/** One repository, followed until it is closed. */
export interface Followed {
  read(): ResolvedReference;
  /** True while the stored root is still being read. */
  pending(): boolean;
  state(): MirrorState;
  close(): Promise<void>;
}

/** Milliseconds. Half of the wait after a failure is random; the hour varies by a tenth. */
const times = { refresh: 3_600_000, firstRetry: 1_000, lastRetry: 600_000 } as const;

/** Wait until the next update. */
function pause(failures: number, random: number): number {
  if (failures === 0) return times.refresh * (0.9 + random / 5);
  return Math.min(times.lastRetry, times.firstRetry * 2 ** Math.min(failures - 1, 16)) * (0.5 + random / 2);
}

/** Error text for messages, cleaned and cut: a mirror, and anyone in between, can influence it. */
function wordsOf(error: unknown): string {
  const { message = "", code, name } = error as Partial<NodeJS.ErrnoException>;
  const text = message === "" ? (code ?? name ?? "unknown fault") : message;
  return printable(text, 300);
}

/** A root without CT logs is valid too, for entries that require none: the entry decides later. */
function assertTrustedRoot(text: string): void {
  try {
    readTrustedRoot(text, []);
  } catch (error) {
    if (!(error instanceof SignatureError)) throw error;
    try {
      readTrustedRoot(text, [], { tlog: 0, ctlog: 0 });
    } catch {
      throw error;
    }
  }
}

/** Updates from a mirror now, every hour, and sooner after failures. Never throws and blocks no caller. */
class Follower implements Followed {
  readonly #options: FollowOptions;
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;
  #text: string | undefined;
  #fault: string | undefined;
  #lastSuccess: number | undefined;
  #up = false;
  #pending = true;

  constructor(options: FollowOptions) {
    this.#options = options;
    this.#fault = `${options.reference.mirror} has not answered yet; wait a moment`;
    this.#ended = this.#run();
  }

  read(): ResolvedReference {
    return {
      ...defined({ text: this.#text, fault: this.#fault }),
    };
  }

  pending(): boolean {
    return this.#pending;
  }

  state(): MirrorState {
    return { up: this.#up, ...defined({ lastSuccess: this.#lastSuccess }) };
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#ended;
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#stop;
    await this.#restore();
    this.#pending = false;
    if (!signal.aborted) this.#options.onChange();
    let failures = 0;
    while (!signal.aborted) {
      failures = (await this.#look(failures === 0)) ? 0 : failures + 1;
      await clock.sleep(pause(failures, clock.random()), signal);
    }
  }

  /** The stored root serves until the mirror has answered. */
  async #restore(): Promise<void> {
    const known = await loadLastGood(await this.#file().catch(() => "")).catch(() => undefined);
    if (known === undefined) return;
    try {
      assertTrustedRoot(known.text);
    } catch {
      return;
    }
    // A clock that was ahead must not make the root look fresh in the future.
    this.#lastSuccess = Math.min(known.at, this.#options.clock.now());
    this.#text = known.text;
  }

  /** @param first no failure since the last success: later failures are not reported */
  async #look(first: boolean): Promise<boolean> {
    const { reference, onProblem, onRecovered, onLook } = this.#options;
    const wasUp = this.#up;
    try {
      const text = await this.#published();
      this.#up = true;
      if (!wasUp && !first) onRecovered(`the TUF mirror ${reference.mirror} answers again`);
      this.#become(text, undefined);
    } catch (error) {
      if (this.#stop.signal.aborted) return false;
      this.#up = false;
      const fault = `${reference.mirror}: ${wordsOf(error)}; ${mirrorRemedy(error)}`;
      const held = this.#text === undefined ? "" : "; what it published last stays in force";
      if (first) onProblem(`the TUF mirror ${fault}${held}`);
      this.#become(this.#text, fault);
    }
    onLook();
    return this.#up;
  }

  async #published(): Promise<string> {
    const { reference, folder, clock, deadline, onProblem } = this.#options;
    const fetcher = createFetcher({ mirror: reference.mirror, signal: this.#stop.signal, deadline });
    const at = clock.now();
    const text = await readPublished({ reference, folder: join(await folder(), "metadata"), fetcher });
    try {
      assertTrustedRoot(text);
    } catch (cause) {
      const remedy = "have whoever runs the mirror correct it";
      throw new MirrorFault(`${reference.target} is no trusted root: ${wordsOf(cause)}`, remedy, { cause });
    }
    this.#lastSuccess = at;
    // A root that cannot be stored is used all the same.
    await saveLastGood(await this.#file(), { text, at }).catch((error: unknown) =>
      onProblem(
        `what the TUF mirror ${reference.mirror} published cannot be kept for a restart: ${wordsOf(error)}`,
      ),
    );
    return text;
  }

  async #file(): Promise<string> {
    return join(await this.#options.folder(), "last-good.json");
  }

  #become(text: string | undefined, fault: string | undefined): void {
    if (this.#text === text && this.#fault === fault) return;
    this.#text = text;
    this.#fault = fault;
    if (!this.#stop.signal.aborted) this.#options.onChange();
  }
}

/** Follows one repository from now until it is closed. */
export const followMirror = (options: FollowOptions): Followed => new Follower(options);
