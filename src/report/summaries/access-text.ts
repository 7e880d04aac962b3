import { renderBars } from '../charts.js';
import { renderTable } from '../terminal-text.js';
import { formatBytes, formatDuration, formatShare } from '../units.js';
import type { AccessRegion, AccessResult } from './access.js';
import type { SourceSummary } from './summary.js';
import {
  FLAT_SENTENCE,
  formatAge,
  headingOf,
  leftOut,
  NO_SNAPSHOTS,
  nameOfProcess,
  orUnknown,
  shortName,
  UNSEEN_KINDS,
  unknownNotes,
  WIDTH,
  warmUpNotes,
} from './text.js';

const BAR_CELLS = 40;
const PROCESS_COLUMNS = 16;

/**
 * The regions that were chosen, and all memory by access share and by how long it was untouched.
 *
 * @param chosen in the order in which they are shown
 */
export function renderAccess(
  source: SourceSummary,
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
    `By ${isCounted ? 'accessed share of each mapping' : 'access share'} (${what})\n${renderBars(
      byShare.map(({ fromShare, toShare, bytes }) => ({
        name: toShare === 0 ? 'never' : `${formatShare(fromShare)} .. ${formatShare(toShare)}`,
        value: bytes,
      })),
      BAR_CELLS,
      formatBytes,
    )}`,
    `Untouched at the end, for at least\n${untouchedBars(untouched)}`,
  ];
  return `${parts.join('\n\n')}\n`;
}

function notesOf({ processes, isCounted }: AccessResult): string[] {
  const unseenBytes = processes.reduce((sum, process) => sum + (process.unseenBytes ?? 0), 0);
  return [
    ...unknownNotes(processes),
    ...warmUpNotes(processes.filter(({ unknown }) => unknown === null)),
    ...(isCounted ? [FLAT_SENTENCE] : []),
    ...(unseenBytes > 0
      ? [`Not seen: ${formatBytes(unseenBytes)} resident (${UNSEEN_KINDS}), in none of these figures.`]
      : []),
  ];
}

function whatIsCounted({ isResidentKnown, hasMappings }: AccessResult): string {
  if (isResidentKnown) return 'resident memory';
  return hasMappings
    ? 'mapped memory'
    : 'memory in regions, mapped or not, for this record does not tell what was mapped';
}

function regionTable(regions: readonly AccessRegion[], { processes, isResidentKnown }: AccessResult): string {
  const names = new Map(processes.map((process) => [process.pid, nameOfProcess(process, PROCESS_COLUMNS)]));
  const isOne = processes.length === 1;
  const head = [
    ...(isOne ? [] : ['process']),
    'address',
    'size',
    ...(isResidentKnown ? ['resident'] : []),
    'accessed',
    'age',
  ];
  const rows = regions.map(({ pid, startAddress, sizeBytes, residentBytes, accessShare, ageUs }) => [
    ...(isOne ? [] : [names.get(pid)!]),
    startAddress.toString(16),
    formatBytes(sizeBytes),
    ...(isResidentKnown ? [orUnknown(residentBytes)] : []),
    formatShare(accessShare),
    formatAge(ageUs),
  ]);
  const left = isOne ? [head.length] : [0, head.length];
  const width = renderTable([head, ...rows])
    .split('\n')
    .reduce((max, line) => Math.max(max, line.length), 0);
  const mappings = regions.map(({ mapping }) =>
    mapping === null ? '-' : shortName(mapping, WIDTH - width - 2),
  );
  return renderTable([[...head, 'mapping'], ...rows.map((row, i) => [...row, mappings[i]!])], left);
}

/** Bars down to the first that nothing reaches. */
function untouchedBars(untouched: AccessResult['untouched']): string {
  const none = untouched.findIndex(({ bytes }) => bytes === 0);
  const shown = none < 0 ? untouched : untouched.slice(0, none + 1);
  return renderBars(
    shown.map(({ forUs, bytes }) => ({
      name: forUs === 0 ? '1 snapshot' : formatDuration(forUs),
      value: bytes,
    })),
    BAR_CELLS,
    formatBytes,
  );
}
