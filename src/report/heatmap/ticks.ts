/** Imports nothing: it is also part of the page (html.ts). */

const DAY_US = 86_400e6;
const TIME_STEPS_US = [
  ...[1, 10, 100, 1e3, 10e3, 100e3, 1e6].flatMap((us) => [us, 2 * us, 5 * us]),
  ...[10, 20, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 14_400, 28_800, 43_200].map((s) => s * 1e6),
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000].map((days) => days * DAY_US),
];

/** Round times from start to end, about `count` of them or fewer. */
export function timeTicks(startUs: number, endUs: number, count: number): number[] {
  const step =
    TIME_STEPS_US.find((us) => (endUs - startUs) / us <= count) ?? (endUs - startUs) / Math.max(1, count);
  return ticks(startUs, endUs, step);
}

/** Round addresses (multiples of a power of two, at least 4,096) from start to end, about `count` of them or fewer. */
export function addressTicks(startBytes: number, endBytes: number, count: number): number[] {
  let step = 4_096;
  while ((endBytes - startBytes) / step > count) step *= 2;
  return ticks(startBytes, endBytes, step);
}

function ticks(start: number, end: number, step: number): number[] {
  const first = Math.ceil(start / step);
  return Array.from(
    { length: Math.max(0, Math.floor(end / step) - first + 1) },
    (_, i) => (first + i) * step,
  );
}
