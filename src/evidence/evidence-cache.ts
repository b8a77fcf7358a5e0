import { LRUCache } from "lru-cache";
import type { TrustMaterial } from "../signature/trust-material.ts";
import { treeDigest } from "../skill/skill.ts";
import type { EvidenceSubject } from "./evidence-subject.ts";
import type { Evidence } from "./evidence.ts";

/** Characters of JSON that the cache may hold: some two thousand skills, and about three times as many bytes of memory. */
const defaultMaxSize = 4 * 1024 * 1024;

/** Result of one look-up; for the metric. */
export type CacheResult = "hit" | "miss" | "expired";

/**
 * Evidence by content: the key is the tree's digest, the folder's name, the image's digest and the version of the trust
 * material; never a tag, and never a verdict. Bounded by size: a stream of different skills leaves memory flat.
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
   * The evidence about a skill: from the cache while it is valid, else by `establish`.
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
   * Stores a copy through JSON: strings of the original may be slices that keep whole files in memory. Its length
   * measures its size.
   */
  #remember(key: string, evidence: Evidence): Evidence {
    const text = JSON.stringify(evidence);
    const copy = JSON.parse(text) as Evidence;
    this.#entries.set(key, copy, { size: text.length + key.length });
    return copy;
  }
}
