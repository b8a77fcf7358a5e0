import { Counter, type CounterConfiguration } from "prom-client";

type Labels<Name extends string> = Readonly<Record<Name, string>>;

/** A counter whose increments reach the registry with the next scrape. */
export interface TalliedCounter<Name extends string> {
  inc(labels: Labels<Name>, more?: number): void;
}

/**
 * Counts in a map of its own until the next scrape: the library's counter checks, sorts and joins the labels of every
 * increment.
 * @param key distinguishes each set of labels from all others
 */
export function talliedCounter<Name extends string>(
  config: CounterConfiguration<Name>,
  key: (labels: Labels<Name>) => string,
): TalliedCounter<Name> {
  const tallies = new Map<string, { readonly labels: Labels<Name>; count: number }>();
  new Counter<Name>({
    ...config,
    collect() {
      for (const tally of tallies.values()) {
        this.inc({ ...tally.labels }, tally.count);
        tally.count = 0;
      }
    },
  });
  return {
    inc(labels, more = 1) {
      const at = key(labels);
      const tally = tallies.get(at);
      if (tally === undefined) tallies.set(at, { labels, count: more });
      else tally.count += more;
    },
  };
}
