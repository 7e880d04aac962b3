import type { OnePercent, WatchingCost } from './result.js';

/** CPU in a second, in microseconds. */
const ONE_PERCENT_US = 10_000;

/** How far beyond the most regions that were measured the line is followed. */
const MAX_EXTRAPOLATION = 10;

/**
 * What 1 % of a core buys, by the straight line through what ticks with few and with many regions cost (least squares of
 * the medians).
 *
 * @param costs runs that differ in their regions alone, at least two; of a region source, whose cost does not follow them, any
 */
export function onePercentOf(
  costs: readonly WatchingCost[],
  sampleUs: readonly number[],
  regions: readonly number[],
): OnePercent {
  const { base: cpuUsPerTick, slope: cpuUsPerRegion } = lineThrough(
    costs.map((cost) => [cost.regions, cost.cpuUsPerTick.median]),
  );
  const regionsLimit = MAX_EXTRAPOLATION * Math.max(...regions);
  return {
    cpuUsPerTick,
    cpuUsPerRegion,
    regionsLimit,
    atInterval: sampleUs.map((interval) => {
      const ticksPerSecond = 1e6 / interval;
      const affordable = Math.min(
        regionsLimit,
        Math.floor((ONE_PERCENT_US / ticksPerSecond - cpuUsPerTick) / cpuUsPerRegion),
      );
      const has = affordable >= 1;
      return {
        sampleUs: interval,
        regions: has ? affordable : null,
        samplesPerSecond: has ? affordable * ticksPerSecond : null,
      };
    }),
    withRegions: regions.map((count) => ({
      regions: count,
      sampleUs: ((cpuUsPerTick + count * cpuUsPerRegion) * 1e6) / ONE_PERCENT_US,
    })),
  };
}

/** Both numbers above 0: nothing is free, though what was measured of something cheap may say so. */
function lineThrough(points: readonly (readonly [x: number, y: number])[]): { base: number; slope: number } {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const meanX = mean(points.map(([x]) => x));
  const meanY = mean(points.map(([, y]) => y));
  const spread = mean(points.map(([x]) => (x - meanX) ** 2));
  const slope = Math.max(0.001, mean(points.map(([x, y]) => (x - meanX) * (y - meanY))) / (spread || 1));
  return { base: Math.max(0, meanY - slope * meanX), slope };
}
