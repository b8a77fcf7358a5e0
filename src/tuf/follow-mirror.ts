import { join } from "node:path";
import type { MirrorReference, ResolvedReference } from "../policy/trust/reference.ts";
import { printable } from "../text/printable.ts";
import { SignatureError } from "../signature/signature-error.ts";
import { readTrustedRoot } from "../signature/sigstore/root/trusted-root.ts";
import { createFetcher } from "./fetcher.ts";
import { loadLastGood, saveLastGood } from "./last-good.ts";
import { MirrorFault, mirrorRemedy } from "./mirror-remedy.ts";
import { readPublished } from "./repository.ts";

/** Time, handed in. Milliseconds. */
export interface MirrorClock {
  /** Since 1970. */
  now(): number;
  /** Resolves after that long, or as soon as the signal aborts. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
  /** 0 to 1: replicas must not all come at the same moment. */
  random(): number;
}

/** How a mirror stands. */
export interface MirrorState {
  /** Did the last look at it succeed. */
  readonly up: boolean;
  /** When one did last, milliseconds since 1970; kept over restarts of the process where its folder is. */
  readonly lastSuccess?: number;
}

export interface FollowOptions {
  readonly reference: MirrorReference;
  /** Where metadata and what was good last are. */
  readonly folder: () => Promise<string>;
  readonly clock: MirrorClock;
  readonly deadline: () => AbortSignal;
  /** Once each time that the mirror begins to fail, not at every attempt. */
  readonly onProblem: (message: string) => void;
  readonly onRecovered: (message: string) => void;
  /** After each change of what `read` and `pending` answer. */
  readonly onChange: () => void;
  /** After each look. */
  readonly onLook: () => void;
}

/** One repository, followed until it is closed. */
export interface Followed {
  read(): ResolvedReference;
  /** Is what was kept from before still being read. */
  pending(): boolean;
  state(): MirrorState;
  close(): Promise<void>;
}

/** Milliseconds. Half of a wait after a failure is random; an hour is give or take a tenth. */
const times = { refresh: 3_600_000, firstRetry: 1_000, lastRetry: 600_000 } as const;

/** Until the next look. */
function pause(failures: number, random: number): number {
  if (failures === 0) return times.refresh * (0.9 + random / 5);
  return Math.min(times.lastRetry, times.firstRetry * 2 ** Math.min(failures - 1, 16)) * (0.5 + random / 2);
}

/** What may be in a message, of what strangers can have a say in. */
function wordsOf(error: unknown): string {
  const { message = "", code, name } = error as Partial<NodeJS.ErrnoException>;
  const text = message === "" ? (code ?? name ?? "unknown fault") : message;
  return printable(text, 300);
}

/** An instance without logs of certificates is one too, for entries that ask for none: they ask, not we. */
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

/** Looks at a mirror now, every hour, and after failures sooner. Nothing of it throws, and nobody waits for it. */
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
      ...(this.#text === undefined ? {} : { text: this.#text }),
      ...(this.#fault === undefined ? {} : { fault: this.#fault }),
    };
  }

  pending(): boolean {
    return this.#pending;
  }

  state(): MirrorState {
    return { up: this.#up, ...(this.#lastSuccess === undefined ? {} : { lastSuccess: this.#lastSuccess }) };
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

  /** What was good before the process was started anew serves until the mirror has answered. */
  async #restore(): Promise<void> {
    const known = await loadLastGood(await this.#file().catch(() => "")).catch(() => undefined);
    if (known === undefined) return;
    try {
      assertTrustedRoot(known.text);
    } catch {
      return;
    }
    // A clock that was ahead must not make it fresh until that time comes.
    this.#lastSuccess = Math.min(known.at, this.#options.clock.now());
    this.#text = known.text;
  }

  /** @param first since the last success, or at all; more failures are no news */
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
    // That it cannot be kept is no reason not to use it.
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
