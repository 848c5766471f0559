// Exact statistics over a few values: rounds, repeats, windows. Where values are many (the samples
// of a slice) and only their distribution is kept, latency-histogram.ts does it.

/**
 * The smallest value that at least `fraction` of the values do not exceed (nearest rank), so that
 * every quantile is a value that was really measured. `fraction` is in [0, 1].
 */
export function quantile(values: ArrayLike<number>, fraction: number): number {
  if (values.length === 0) throw new RangeError("quantile of no values");
  const sorted = Float64Array.from(values).sort();
  return sorted[rankOf(fraction, sorted.length)]!;
}

/** The middle value, or the mean of the two middle ones. */
export function median(values: ArrayLike<number>): number {
  if (values.length === 0) throw new RangeError("median of no values");
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle]!;
  return (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function mean(values: ArrayLike<number>): number {
  if (values.length === 0) throw new RangeError("mean of no values");
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / values.length;
}

function rankOf(fraction: number, count: number): number {
  return Math.min(count - 1, Math.max(0, Math.ceil(fraction * count) - 1));
}
