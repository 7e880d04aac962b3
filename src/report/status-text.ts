import { printable } from '../core/printable.js';
import type { Snapshot } from '../core/snapshot.js';
import type { AttrsInForce, MonitorStats } from '../core/stats.js';
import { isProcess, type OtherWatcher } from '../core/target.js';
import type { SelectionStats, SkipReason } from '../processes/follower.js';
import { clip } from './terminal-text.js';
import { formatBytes, formatDue, formatDuration, formatProcesses } from './units.js';

/**
 * `5 ms / 100 ms`, or `1 s` without a sampling interval; and in parentheses who chose them, unless it was the user. Targets
 * may take turns: in ticks, or in intervals, as in `10 s of every 40 s`.
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

/** `1.2 % of a core`: the recent cost of watching, or if that is not known, the mean one; undefined without any. */
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
 * How many processes were watched and missed; undefined for at most one process if none was missed. Unseen forks alone are
 * not worth a line: every machine has some.
 */
export function formatSelection(stats: SelectionStats): string | undefined {
  const skipped = (Object.keys(REASONS) as SkipReason[]).filter((reason) => stats.skipped[reason] > 0);
  const total = skipped.reduce((sum, reason) => sum + stats.skipped[reason], 0);
  if (stats.watched <= 1 && total === 0 && stats.endedUnopened === 0) return undefined;
  const reasons = skipped.map((reason) => `${stats.skipped[reason]} ${REASONS[reason]}`).join(', ');
  const parts = [
    `${formatProcesses(stats.watched)} watched`,
    ...(total > 0 ? [`${total} skipped: ${reasons}`] : []),
    ...(stats.endedUnopened > 0 ? [`${stats.endedUnopened} ended before they could be opened`] : []),
    ...(stats.forksUnseen > 0
      ? [`${stats.forksUnseen} processes and threads of the whole machine came and went unseen`]
      : []),
    `${stats.looks} scans for processes took ${Math.round(stats.cpuUs / 1_000)} ms of CPU`,
  ];
  return parts.join('; ');
}

const MOST_NAMED = 5;

/** A warning that figures are too low, and a remedy. */
export function otherWatcherText({ pid, comm, targets }: Omit<OtherWatcher, 'atUs'>): string {
  const more = targets.length - MOST_NAMED;
  const named = targets.slice(0, MOST_NAMED).join(', ') + (more > 0 ? ` and ${more} more` : '');
  const what =
    targets.length > 0
      ? `also watches process${targets.length > 1 ? 'es' : ''} ${named}: each clears accesses before the other sees them`
      : 'also uses the idle page bitmap: in memory that both watch, each clears accesses before the other sees them';
  return `process ${pid} (${printable(comm)}) ${what}, so both report too little; stop one of them`;
}

/** The parts of a title before the first snapshot. */
export function waitingParts(processes: number, dueInUs: number | undefined): string[] {
  if (processes === 0) return ['waiting for a process to watch'];
  const due = dueInUs === undefined ? '' : `, ${formatDue(dueInUs)}`;
  return [`waiting for the first snapshot${due}`];
}

/** `4242 postgres`; printable. Synthetic targets have no pid. */
export function nameOfProcess(
  { pid, comm }: { readonly pid: number; readonly comm: string },
  columns = Number.POSITIVE_INFINITY,
): string {
  return clip(isProcess({ pid }) ? `${pid} ${printable(comm)}` : printable(comm), columns);
}

/** Why nothing is known of a process: too little of the memory that its regions cover is resident. */
export interface Unknown {
  readonly residentBytes: number;
  readonly coveredBytes: number;
}

/** A remedy. */
export const UNKNOWN_HELP = '--cover mapped, or --check referenced, which counts by mapping';

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

/** `0.0006 % of the 64 TiB watched is resident, so samples rarely hit memory`. */
export function whyUnknown({ residentBytes, coveredBytes }: Unknown): string {
  return (
    `${smallPercent(residentBytes / coveredBytes)} of the ${formatBytes(coveredBytes)} watched is resident, ` +
    'so samples rarely hit memory'
  );
}

/** The reason and the remedy, a line each. */
export function unknownSentences(unknown: Unknown): string[] {
  return [`${whyUnknown(unknown)}.`, `Try ${UNKNOWN_HELP}.`];
}

/** With one significant digit, and without an exponent. */
function smallPercent(share: number): string {
  if (share <= 0) return '0 %';
  const percent = share * 100;
  const decimals = Math.max(0, -Math.floor(Math.log10(percent)));
  return `${Number(percent.toFixed(decimals)).toFixed(decimals)} %`;
}
