/** Sampling intervals in an aggregation interval. */
export const TICKS = 20;
export const SAMPLE_US = 5_000;
