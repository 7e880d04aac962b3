import type { AttrsInForce, MonitorStats } from '../core/stats.js';
import { formatDuration } from './units.js';

/**
 * `5 ms / 100 ms`, or `1 s` if there is no sampling interval; with who chose them unless the user has, and whether targets
 * take turns: in ticks, or `10 s of every 40 s` in intervals.
 */
export function formatInForce({ attrs, reason, turns }: AttrsInForce): string {
  const { sampleUs, aggrUs } = attrs;
  const inTurns = turns === undefined ? '' : ` in ${turns} turns`;
  const pauses = turns === undefined ? '' : ` of every ${formatDuration(turns * aggrUs)}`;
  const intervals =
    sampleUs === aggrUs
      ? formatDuration(aggrUs) + pauses
      : `${formatDuration(sampleUs)} / ${formatDuration(aggrUs)}${inTurns}`;
  if (reason === 'set') return intervals;
  return `${intervals} (${reason})`;
}

/** `1.2 % of a core`: what watching costs now, or where that is not known, has cost; undefined where it has none. */
export function formatCost(stats: Pick<MonitorStats, 'cpuPercent' | 'recentCpuPercent'>): string | undefined {
  const percent = stats.recentCpuPercent ?? stats.cpuPercent;
  return percent === null ? undefined : `${percent.toFixed(percent < 0.95 ? 2 : 1)} % of a core`;
}
