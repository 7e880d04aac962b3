/** A quantity that was measured several times: the median, and the ranks that half of the values lie between. */
export interface Figure {
  readonly median: number;
  readonly p25: number;
  readonly p75: number;
  /** How many values there were. */
  readonly runs: number;
}

/** @param values at least one, in any order */
export function figureOf(values: readonly number[]): Figure {
  const sorted = Float64Array.from(values).sort();
  return {
    median: rankOf(sorted, 0.5),
    p25: rankOf(sorted, 0.25),
    p75: rankOf(sorted, 0.75),
    runs: sorted.length,
  };
}

/** Between two values, the share of the way from the one to the other. */
function rankOf(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1);
  const below = sorted[Math.floor(at)]!;
  return below + (sorted[Math.ceil(at)]! - below) * (at % 1);
}
