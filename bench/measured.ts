/** What one measurement gives. */
export interface Measured {
  rate: number; // per second
  p50: number; // ms
  p99: number; // ms
}

/** @param times of each that was done in `duration`; both ms */
export function measuredFrom(times: number[], duration: number): Measured {
  times.sort((a, b) => a - b);
  return { rate: (times.length * 1_000) / duration, p50: quantile(times, 0.5), p99: quantile(times, 0.99) };
}

/** @param sorted ascending, not empty */
export const quantile = (sorted: readonly number[], share: number): number => sorted[Math.floor((sorted.length - 1) * share)]!;

export const median = (numbers: readonly number[]): number =>
  quantile(
    [...numbers].sort((a, b) => a - b),
    0.5,
  );
