import { textOf, type Governed } from "../../../policy/coverage.ts";
import type { Selection } from "../../../kubernetes/selection.ts";

/** Milliseconds for which the webhook stays registered where no policy governs any more. */
const keptFor = 60_000;

interface Kept {
  readonly selection: Selection;
  /** When it is left out, milliseconds of `now`; Infinity while a policy governs it. */
  readonly until: number;
}

type KeptByText = ReadonlyMap<string, Kept>;

/** What is to be registered, and when less will do. */
export interface ToRegister {
  readonly governed: Governed;
  /** Milliseconds until less is to be registered; absent if nothing is kept for its past. */
  readonly narrowsIn?: number;
}

/**
 * What policies govern, and what they governed in the minute before: a policy that is replaced by deleting and making
 * it again leaves no gap, and the registration does not follow every step.
 */
export class RecentlyGoverned {
  #kept: Readonly<Record<keyof Governed, KeptByText>> = { enforced: new Map(), observed: new Map() };
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** @param present what policies govern now */
  including(present: Governed): ToRegister {
    const now = this.#now();
    const enforced = followed(this.#kept.enforced, present.enforced, now);
    const observed = followed(this.#kept.observed, present.observed, now);
    this.#kept = { enforced, observed };
    const all = (kept: KeptByText): readonly Selection[] => [...kept.values()].map((one) => one.selection);
    const ends = [...enforced.values(), ...observed.values()].map(({ until }) => until);
    const first = Math.min(...ends);
    return {
      governed: { enforced: all(enforced), observed: all(observed) },
      ...(Number.isFinite(first) ? { narrowsIn: first - now } : {}),
    };
  }
}

/** What was kept, with what is there now; without what has had its time. */
function followed(before: KeptByText, present: readonly Selection[], now: number): KeptByText {
  const found = new Map<string, Kept>();
  for (const [text, { selection, until }] of before) {
    const end = until === Infinity ? now + keptFor : until;
    if (end > now) found.set(text, { selection, until: end });
  }
  for (const selection of present) found.set(textOf(selection), { selection, until: Infinity });
  return found;
}
