/** The value below which that share of the values lies (nearest rank); NaN for no values. */
export function quantile(values: readonly number[] | Float64Array, share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? Number.NaN;
}

export const median = (values: readonly number[] | Float64Array): number => quantile(values, 0.5);

/** Half of the distance between the least and the greatest round, as a share of the median: how noisy the run was. */
export function spread(rounds: readonly number[]): number {
  if (rounds.length < 2) return 0;
  return (Math.max(...rounds) - Math.min(...rounds)) / 2 / median(rounds);
}
