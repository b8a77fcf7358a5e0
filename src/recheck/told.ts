import { LRUCache } from "lru-cache";
import { TokenBucket, type BucketLimits } from "../text/token-bucket.ts";
import { workloadKey } from "./notices.ts";
import type { Notice } from "./ports.ts";

/** How often a workload is named for one policy: each time that something is changed back and forth would be without end. */
const perWorkload: BucketLimits = { burst: 5, perSecond: 1 / 60 };
/** How often workloads of one namespace are named: a change of one ConfigMap may concern thousands. */
const perNamespace: BucketLimits = { burst: 1_000, perSecond: 10 };
/** How often it is said of a namespace that some were not named. */
const perExcess: BucketLimits = { burst: 1, perSecond: 1 / 600 };

/** Workloads and namespaces of which it is remembered what was told, at most. */
const maxRemembered = 20_000;
/** Different findings of one workload that are remembered. */
const maxKeys = 10;

/** Said of a namespace of whose workloads some are not named. */
const notAllNamed = (namespace: string): string =>
  `workloads of Namespace ${namespace} cease to comply more often than they are named: some are counted only; look who changes its ConfigMaps and pods`;

/** What was told of a workload for one policy. */
interface Telling {
  readonly keys: Set<string>;
  readonly bucket: TokenBucket;
}

/** What was told of which workload, so that nothing is told twice, nor without end. */
export class Told {
  readonly #workloads = new LRUCache<string, Map<string, Telling>>({ max: maxRemembered });
  readonly #namespaces = new LRUCache<string, { readonly told: TokenBucket; readonly excess: TokenBucket }>({
    max: maxRemembered,
  });
  readonly #now: () => number;
  readonly #onProblem: (message: string) => void;

  /**
   * @param now milliseconds
   * @param onProblem is told once in a while of a namespace of whose workloads some are not named
   */
  constructor(now: () => number, onProblem: (message: string) => void) {
    this.#now = now;
    this.#onProblem = onProblem;
  }

  /** Whether this has not been told yet and may be; from now on it has. What may not is news the next time. */
  isNews({ workload, namespace, policy, key }: Notice): boolean {
    const now = this.#now();
    const id = workloadKey(workload);
    const tellings = this.#workloads.get(id) ?? new Map<string, Telling>();
    this.#workloads.set(id, tellings);
    const telling = tellings.get(policy) ?? { keys: new Set(), bucket: new TokenBucket(perWorkload, now) };
    tellings.set(policy, telling);
    const { keys, bucket } = telling;
    if (keys.has(key)) return false;
    const { told, excess } = this.#namespaceOf(namespace, now);
    if (!bucket.take(now) || !told.take(now)) {
      if (excess.take(now)) this.#onProblem(notAllNamed(namespace));
      return false;
    }
    if (keys.size >= maxKeys) keys.clear();
    keys.add(key);
    return true;
  }

  /** Forgets what other workloads were told of: if it happens again, it is told again. */
  keepOnly(workloads: ReadonlySet<string>): void {
    for (const [workload, tellings] of this.#workloads.entries())
      if (!workloads.has(workload)) for (const { keys } of tellings.values()) keys.clear();
  }

  #namespaceOf(namespace: string, now: number): { readonly told: TokenBucket; readonly excess: TokenBucket } {
    const known = this.#namespaces.get(namespace) ?? {
      told: new TokenBucket(perNamespace, now),
      excess: new TokenBucket(perExcess, now),
    };
    this.#namespaces.set(namespace, known);
    return known;
  }
}
