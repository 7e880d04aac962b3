import type { SelectionStats, SkipReason } from '../processes/follower.js';

const REASONS: Record<SkipReason, string> = {
  permission: 'not allowed',
  descriptors: 'no file descriptors left (`ulimit -n` raises the limit)',
  maxTargets: 'more than --max-targets',
  failed: 'could not be opened',
};

/**
 * What a selection has come to, in a sentence; undefined where one process or none was chosen and nothing was missed. The
 * forks that nobody saw are told only beside others: every machine has some.
 */
export function formatSelection(stats: SelectionStats): string | undefined {
  const skipped = (Object.keys(REASONS) as SkipReason[]).filter((reason) => stats.skipped[reason] > 0);
  const total = skipped.reduce((sum, reason) => sum + stats.skipped[reason], 0);
  if (stats.watched <= 1 && total === 0 && stats.endedUnopened === 0) return undefined;
  const reasons = skipped.map((reason) => `${stats.skipped[reason]} ${REASONS[reason]}`).join(', ');
  const parts = [
    `${processes(stats.watched)} watched`,
    ...(total > 0 ? [`${total} skipped: ${reasons}`] : []),
    ...(stats.endedUnopened > 0 ? [`${stats.endedUnopened} ended before they could be opened`] : []),
    ...(stats.forksUnseen > 0
      ? [`${stats.forksUnseen} processes and threads of the whole machine came and went unseen`]
      : []),
    `${stats.looks} looks for processes took ${Math.round(stats.cpuUs / 1_000)} ms of CPU`,
  ];
  return parts.join('; ');
}

function processes(count: number): string {
  return count === 1 ? '1 process' : `${count} processes`;
}
