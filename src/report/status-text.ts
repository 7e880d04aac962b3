import { printable } from '../core/printable.js';
import type { Snapshot } from '../core/snapshot.js';
import type { AttrsInForce, MonitorStats } from '../core/stats.js';
import type { OtherWatcher } from '../core/target.js';
import type { SelectionStats, SkipReason } from '../processes/follower.js';
import { formatBytes, formatDuration } from './units.js';

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

const MOST_NAMED = 5;

/** A warning that figures are too low, and what to do. */
export function otherWatcherText({ pid, comm, targets }: Omit<OtherWatcher, 'atUs'>): string {
  const more = targets.length - MOST_NAMED;
  const named = targets.slice(0, MOST_NAMED).join(', ') + (more > 0 ? ` and ${more} more` : '');
  const what =
    targets.length > 0
      ? `also watches process${targets.length > 1 ? 'es' : ''} ${named}: each clears accesses before the other sees them`
      : 'also uses the idle page bitmap: in memory that both watch, each clears accesses before the other sees them';
  return `process ${pid} (${printable(comm)}) ${what}, so both report too little; stop one of them`;
}

/** Why nothing is known of a process: too little of what its regions cover is resident. */
export interface Unknown {
  readonly residentBytes: number;
  readonly coveredBytes: number;
}

/** What a person can do about it. */
export const UNKNOWN_HELP = '--range START-END, or --check referenced, which counts by mapping';

/**
 * Undefined if the snapshot says something about its target. One pass over the regions.
 *
 * @param read resident bytes of the process, in case the snapshot does not carry them (older records)
 */
export function unknownOf(snapshot: Snapshot, read?: number): Unknown | undefined {
  const residentBytes = snapshot.residentBytes ?? read;
  if (residentBytes === undefined || snapshot.isKnownWith(residentBytes)) return undefined;
  return { residentBytes, coveredBytes: snapshot.coveredBytes };
}

/** `0.0006 % of the 64 TiB watched is resident, so samples hardly ever meet memory`. */
export function whyUnknown({ residentBytes, coveredBytes }: Unknown): string {
  return (
    `${smallPercent(residentBytes / coveredBytes)} of the ${formatBytes(coveredBytes)} watched is resident, ` +
    'so samples hardly ever meet memory'
  );
}

/** The reason and what helps, a line each. */
export function unknownSentences(unknown: Unknown): string[] {
  return [`${whyUnknown(unknown)}.`, `What helps: ${UNKNOWN_HELP}.`];
}

/** One digit that is not zero, without an exponent. */
function smallPercent(share: number): string {
  if (share <= 0) return '0 %';
  const percent = share * 100;
  const decimals = Math.max(0, -Math.floor(Math.log10(percent)));
  return `${Number(percent.toFixed(decimals)).toFixed(decimals)} %`;
}
