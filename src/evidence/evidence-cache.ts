import { LRUCache } from "lru-cache";
import type { TrustMaterial } from "../signature/trust-material.ts";
import { treeDigest } from "../skill/skill.ts";
import type { EvidenceSubject } from "./evidence-subject.ts";
import type { Evidence } from "./evidence.ts";

/**
 * What is remembered of evidence may take this many characters of JSON in all: some two thousand skills, and about
 * three times as many bytes of memory.
 */
const defaultMaxSize = 4 * 1024 * 1024;

/** How one look-up ended; for the metric. */
export type CacheResult = "hit" | "miss" | "expired";

/**
 * Evidence by content: the key is the tree's digest, its folder's name, its image's digest and the version of all trust, never a name
 * or a tag alone, and never a verdict. Bounded by size, so that a stream of different skills leaves memory flat.
 */
export class EvidenceCache {
  readonly #entries: LRUCache<string, Evidence>;
  readonly #onResult: (result: CacheResult) => void;

  constructor(
    options: { readonly maxSize?: number; readonly onResult?: (result: CacheResult) => void } = {},
  ) {
    this.#entries = new LRUCache({ maxSize: options.maxSize ?? defaultMaxSize });
    this.#onResult = options.onResult ?? (() => undefined);
  }

  /**
   * The evidence about a skill, from memory while it stays true, else by `establish`.
   * @param now milliseconds since 1970
   */
  get(
    { skill, image }: EvidenceSubject,
    trust: TrustMaterial,
    now: number,
    establish: () => Evidence,
  ): Evidence {
    const key = `${trust.version} ${treeDigest(skill)} ${image?.digest ?? ""} ${skill.name}`;
    const known = this.#entries.get(key);
    if (known !== undefined && known.validity.notBefore <= now && now <= known.validity.notAfter) {
      this.#onResult("hit");
      return known;
    }
    this.#onResult(known === undefined ? "miss" : "expired");
    return this.#remember(key, establish());
  }

  /**
   * A copy through JSON: its strings are its own, where those of the original may be slices that hold whole files
   * in memory, and its length is a fair measure of its size.
   */
  #remember(key: string, evidence: Evidence): Evidence {
    const text = JSON.stringify(evidence);
    const copy = JSON.parse(text) as Evidence;
    this.#entries.set(key, copy, { size: text.length + key.length });
    return copy;
  }
}
