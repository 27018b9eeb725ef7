const FIRST = 1_000; // ms, doubling
const MOST = 300_000;

/** How long to wait after so many failures in a row, ms; with jitter, so that many do not come back at once. */
export const backOff = (failures: number): number => Math.min(FIRST * 2 ** (failures - 1), MOST) * (0.5 + Math.random() / 2);
