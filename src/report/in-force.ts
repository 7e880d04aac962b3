import type { AttrsInForce, MonitorStats } from '../core/stats.js';
import { formatDuration } from './units.js';

/** `5 ms / 100 ms`; with who chose them where the user has not, and whether the targets take turns. */
export function formatInForce({ attrs, reason, turns }: AttrsInForce): string {
  const inTurns = turns === undefined ? '' : ` in ${turns} turns`;
  const intervals = `${formatDuration(attrs.sampleUs)} / ${formatDuration(attrs.aggrUs)}${inTurns}`;
  if (reason === 'set') return intervals;
  return `${intervals} (${reason})`;
}

/** `1.2 % of a core`: what watching costs now, or where that is not known, has cost; undefined where it has none. */
export function formatCost(stats: Pick<MonitorStats, 'cpuPercent' | 'recentCpuPercent'>): string | undefined {
  const percent = stats.recentCpuPercent ?? stats.cpuPercent;
  return percent === null ? undefined : `${percent.toFixed(percent < 0.95 ? 2 : 1)} % of a core`;
}
