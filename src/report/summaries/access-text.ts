import { renderBars } from '../charts.js';
import { nameOfProcess } from '../status-text.js';
import { renderTable } from '../terminal-text.js';
import { formatBytes, formatDuration, formatShare } from '../units.js';
import type { AccessRegion, AccessResult } from './access.js';
import type { SourceInfo } from './summary.js';
import {
  FLAT_SENTENCE,
  formatAge,
  headingOf,
  leftOut,
  NO_SNAPSHOTS,
  orUnknown,
  processNotes,
  shortName,
  UNSEEN_KINDS,
  WIDTH,
} from './text.js';

const BAR_CELLS = 40;
const PROCESS_COLUMNS = 16;

/**
 * The regions that were chosen, and all memory by access share and by how long it was untouched.
 *
 * @param chosen in the order in which they are shown
 */
export function renderAccess(
  source: SourceInfo,
  result: AccessResult,
  chosen: readonly AccessRegion[],
  limit: number,
): string {
  const { processes, regions, byShare, untouched, isCounted } = result;
  const heading = headingOf(source, processes.length);
  if (processes.length === 0) return `${heading}\n${NO_SNAPSHOTS}\n`;
  const notes = notesOf(result);
  if (processes.every(({ unknown }) => unknown !== null)) return `${heading}\n\n${notes.join('\n')}\n`;
  const shown = chosen.slice(0, limit);
  const what = whatIsCounted(result);
  const parts = [
    heading,
    ...(notes.length > 0 ? [notes.join('\n')] : []),
    shown.length > 0
      ? regionTable(shown, result) + leftOut(chosen.length, shown.length, 'regions')
      : `None of ${regions.length} regions is within these bounds.`,
    `By ${isCounted ? 'accessed share of each mapping' : 'access share'} (${what})\n${shareBars(byShare)}`,
    `Untouched at the end, for at least\n${untouchedBars(untouched)}`,
  ];
  return `${parts.join('\n\n')}\n`;
}

function bars(rows: Parameters<typeof renderBars>[0]): string {
  return renderBars(rows, BAR_CELLS, formatBytes);
}

function shareBars(byShare: AccessResult['byShare']): string {
  const name = (from: number, to: number) =>
    to === 0 ? 'never' : `${formatShare(from)} .. ${formatShare(to)}`;
  return bars(
    byShare.map(({ fromShare, toShare, bytes }) => ({ name: name(fromShare, toShare), value: bytes })),
  );
}

function notesOf({ processes, isCounted }: AccessResult): string[] {
  const unseenBytes = processes.reduce((sum, process) => sum + (process.unseenBytes ?? 0), 0);
  return [
    ...processNotes(processes),
    ...(isCounted ? [FLAT_SENTENCE] : []),
    ...(unseenBytes > 0
      ? [`Not seen: ${formatBytes(unseenBytes)} resident (${UNSEEN_KINDS}), in none of these figures.`]
      : []),
  ];
}

function whatIsCounted({ isResidentKnown, hasMappings }: AccessResult): string {
  if (isResidentKnown) return 'resident memory';
  return hasMappings ? 'mapped memory' : 'memory in regions, mapped or not: this record has no mappings';
}

function regionTable(regions: readonly AccessRegion[], { processes, isResidentKnown }: AccessResult): string {
  const names = new Map(processes.map((process) => [process.pid, nameOfProcess(process, PROCESS_COLUMNS)]));
  const isOne = processes.length === 1;
  const head = ['address', 'size', ...(isResidentKnown ? ['resident'] : []), 'accessed', 'age'];
  const rows = regions.map(({ pid, startAddress, sizeBytes, residentBytes, accessShare, ageUs }) => [
    ...(isOne ? [] : [names.get(pid)!]),
    startAddress.toString(16),
    formatBytes(sizeBytes),
    ...(isResidentKnown ? [orUnknown(residentBytes)] : []),
    formatShare(accessShare),
    formatAge(ageUs),
  ]);
  const table = [isOne ? head : ['process', ...head], ...rows];
  const width = Math.max(
    ...renderTable(table)
      .split('\n')
      .map((line) => line.length),
  );
  const mapping = (row: number) =>
    row === 0 ? 'mapping' : shortName(regions[row - 1]!.mapping ?? '-', WIDTH - width - 2);
  const left = isOne ? [head.length] : [0, head.length + 1];
  return renderTable(
    table.map((row, i) => [...row, mapping(i)]),
    left,
  );
}

/** Up to the first bar of length 0. */
function untouchedBars(untouched: AccessResult['untouched']): string {
  const none = untouched.findIndex(({ bytes }) => bytes === 0);
  const shown = none < 0 ? untouched : untouched.slice(0, none + 1);
  const name = (forUs: number) => (forUs === 0 ? '1 snapshot' : formatDuration(forUs));
  return bars(shown.map(({ forUs, bytes }) => ({ name: name(forUs), value: bytes })));
}
