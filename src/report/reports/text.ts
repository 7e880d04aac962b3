import { clip, printable } from '../mapping-names.js';
import { formatDuration } from '../units.js';
import type { ProcessSummary, SourceSummary } from './report.js';

/** What reports are made for: they are printed once, and must not wrap. */
export const WIDTH = 80;

/** `it.ndjson: 30 s, 300 snapshots of 1 process, idle-page check, 2026-01-31T12:00:00.000Z`. */
export function headingOf(source: SourceSummary, processes: number): string {
  const { startUs, endUs, snapshots, check, startedAt } = source;
  const parts = [
    `${formatDuration(tidy(endUs - startUs))}${startUs > 0 ? ` from ${formatDuration(tidy(startUs))} on` : ''}`,
    `${count(snapshots, 'snapshot')} of ${count(processes, 'process', 'processes')}`,
    ...(check === '' ? [] : [`${check} check`]),
    ...(startedAt === '' ? [] : [startedAt]),
  ];
  return `${printable(source.source)}: ${parts.join(', ')}`;
}

/** What is said of a source in which nothing was seen. */
export const NO_SNAPSHOTS = 'No snapshots: nothing was seen, or not in this time.';

export function nameOfProcess({ pid, comm }: Pick<ProcessSummary, 'pid' | 'comm'>, columns = 24): string {
  return clip(pid === 0 ? printable(comm) : `${pid} ${printable(comm)}`, columns);
}

export function count(value: number, one: string, several = `${one}s`): string {
  return `${value.toLocaleString('en')} ${value === 1 ? one : several}`;
}

export function percent(share: number): string {
  if (share > 0 && share < 0.01) return '<1 %';
  return `${Math.round(share * 100)} %`;
}

/** Without the fraction by which an interval ended late. */
export function tidy(us: number): number {
  return us < 1e5 ? us : Math.round(us / 1e4) * 1e4;
}

/** A sentence that says how many rows were left out, if any; begins with a line feed. */
export function leftOut(all: number, shown: number, what: string): string {
  return all > shown
    ? `\n... and ${(all - shown).toLocaleString('en')} more ${what} (--limit shows more)`
    : '';
}
