import { printable } from '../../core/printable.js';
import { nameOfProcess, UNKNOWN_HELP } from '../status-text.js';
import { clip } from '../terminal-text.js';
import { formatBytes, formatDuration, tidy } from '../units.js';
import type { ProcessInfo, SourceInfo } from './summary.js';

/** Columns of a terminal in which no line wraps. */
export const WIDTH = 80;

/** The source in one line, and its time and size in one or two. */
export function headingOf(source: SourceInfo, processes: number): string {
  const { startUs, endUs, snapshots, check, startedAt } = source;
  if (snapshots === 0) return printable(source.source);
  const parts = [
    `${formatDuration(tidy(endUs - startUs))}${startUs >= 1e6 ? ` from ${formatDuration(tidy(startUs))} on` : ''}`,
    `${count(snapshots, 'snapshot')} of ${count(processes, 'process', 'processes')}`,
    ...(check === '' ? [] : [`${printable(check)} check`]),
    ...(startedAt === '' ? [] : [`started ${printable(startedAt.replace(/\.\d+Z$/, 'Z'))}`]),
  ];
  return `${printable(source.source)}\n${inLines(parts)}`;
}

/** Joined with commas; parts that do not fit go to the next line. */
function inLines(parts: readonly string[]): string {
  return parts.reduce((text, part) => {
    const last = text.slice(text.lastIndexOf('\n') + 1);
    return `${text},${last.length + part.length + 2 < WIDTH ? ' ' : '\n'}${part}`;
  });
}

export const NO_SNAPSHOTS = 'No snapshots, or none in this time or of these processes.';

export function count(value: number, one: string, several = `${one}s`): string {
  return `${value.toLocaleString('en')} ${value === 1 ? one : several}`;
}

/** `new` if it is 0, `-` without an age. */
export function formatAge(us: number | null): string {
  if (us === null) return '-';
  return us === 0 ? 'new' : formatDuration(tidy(us));
}

/** A line that says how many rows were left out, if any, after a line feed. */
export function leftOut(all: number, shown: number, what: string): string {
  return all > shown
    ? `\n... and ${(all - shown).toLocaleString('en')} more ${what} (--limit shows more)`
    : '';
}

/** A path that is too wide is cut to its last part. */
export function shortName(name: string, columns: number): string {
  const text = printable(name);
  const short = text.length > columns && text.startsWith('/') ? text.slice(text.lastIndexOf('/') + 1) : text;
  return clip(short, columns);
}

export function orUnknown(bytes: number | null): string {
  return bytes === null ? '-' : formatBytes(bytes);
}

/** Processes of which nothing is known, and the time that was left out of the others. */
export function processNotes(
  processes: readonly Pick<ProcessInfo, 'pid' | 'comm' | 'warmUpUs' | 'isSettled' | 'unknown'>[],
): string[] {
  const notes: string[] = [];
  const unknown = processes.filter((process) => process.unknown !== null);
  const known = processes.filter((process) => process.unknown === null);
  if (unknown.length > 0) {
    const more = unknown.length > 1 ? ` (and of ${unknown.length - 1} more)` : '';
    const sums = known.length > 0 ? ' Sums cover the other processes.' : '';
    notes.push(
      `Nothing known of ${nameOfProcess(unknown[0]!, 24)}${more}:`,
      `${unknown[0]!.unknown}.`,
      `Try ${UNKNOWN_HELP}.${sums}`,
    );
  }
  const longestUs = known.reduce((us, { warmUpUs }) => Math.max(us, warmUpUs), 0);
  if (longestUs > 0) {
    const upTo = known.length > 1 ? 'up to ' : '';
    notes.push(
      `Left out: ${upTo}the first ${formatDuration(tidy(longestUs))}, while regions were still being found.`,
    );
  }
  const unsettled = known.filter(({ isSettled }) => !isSettled).length;
  if (unsettled > 0) {
    const of = known.length > 1 ? ` of ${count(unsettled, 'process', 'processes')}` : '';
    notes.push(
      `The regions${of} were still being found at the end, so all of the time counts:`,
      'accessed memory may be several times too large. Watch for longer.',
    );
  }
  return notes;
}

/** Memory that no check sees. */
export const UNSEEN_KINDS = "hugetlb, or pages on none of the kernel's lists";

export const FLAT_SENTENCE = 'Flat per mapping: how much of each was accessed is known, but not where in it.';
