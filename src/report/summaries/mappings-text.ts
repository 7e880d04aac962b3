import { nameOfProcess } from '../status-text.js';
import { renderTable } from '../terminal-text.js';
import { formatBytes, formatShare } from '../units.js';
import type { MappingsOf, MappingUse } from './mapping-sums.js';
import type { MappingsResult } from './mappings.js';
import type { SourceInfo } from './summary.js';
import {
  count,
  formatAge,
  headingOf,
  leftOut,
  NO_SNAPSHOTS,
  orUnknown,
  processNotes,
  shortName,
  UNSEEN_KINDS,
} from './text.js';

const NAME_COLUMNS = 20;
const NARROW_NAMES = 17;

interface MappingsTextOptions {
  readonly limit: number;
  /** A table for each process, not one of their sums. */
  readonly perProcess: boolean;
}

export function renderMappings(
  source: SourceInfo,
  result: MappingsResult,
  { limit, perProcess }: MappingsTextOptions,
): string {
  const { processes, all, snapshotsWithoutMappings } = result;
  const heading = headingOf(source, processes.length);
  if (processes.length === 0) return `${heading}\n${NO_SNAPSHOTS}\n`;
  if (all.mappings.length === 0) {
    return (
      `${heading}\nThis record has no mappings, as it is an older one: ` +
      '`report wss` and `report access` work without them.\n'
    );
  }
  const parts = [`${heading}\nMeans over this time. ${classesOf(result)}`];
  const notes = processNotes(processes);
  if (notes.length > 0) parts.push(notes.join('\n'));
  if (snapshotsWithoutMappings > 0)
    parts.push(`${count(snapshotsWithoutMappings, 'snapshot')} without mappings left out.`);
  if (perProcess) {
    for (const process of processes)
      parts.push(`${nameOfProcess(process, 40)}\n${tableOf(process, result, limit)}`);
  } else {
    const shared =
      processes.length > 1
        ? `\nA page that several of these ${processes.length} processes map counts for each of them; --per-process shows them apart.`
        : '';
    parts.push(tableOf(all, result, limit) + shared);
  }
  return `${parts.join('\n\n')}\n`;
}

function classesOf({ isCounted, isResidentKnown, limits }: MappingsResult): string {
  if (isCounted) return 'Accessed: in a snapshot, counted by mapping; cold: resident\nmemory that was not.';
  const warm = limits.warmShare > 0 ? `warm: ${formatShare(limits.warmShare)} or more; rare` : 'warm';
  const cold = isResidentKnown ? 'in none. All of it is resident.' : 'in none.';
  return (
    `Hot: accessed in ${formatShare(limits.hotShare)} of samples or more; ${warm}: less;\n` + `cold: ${cold}`
  );
}

function tableOf(
  { mappings, total, unmappedBytes }: MappingsOf,
  result: MappingsResult,
  limit: number,
): string {
  const { by, limits, isCounted, isResidentKnown } = result;
  const columns: (readonly [title: string, value: (use: MappingUse) => string])[] = [
    ['size', ({ sizeBytes }) => formatBytes(sizeBytes)],
    ['resident', ({ residentBytes }) => orUnknown(residentBytes)],
  ];
  if (isCounted) columns.push(['accessed', ({ accessedBytes }) => orUnknown(accessedBytes)]);
  else
    columns.push(
      ['hot', ({ hotBytes }) => orUnknown(hotBytes)],
      ['warm', ({ warmBytes }) => orUnknown(warmBytes)],
    );
  const hasRare = !isCounted && limits.warmShare > 0;
  if (hasRare) columns.push(['rare', ({ rareBytes }) => orUnknown(rareBytes)]);
  columns.push(['cold', ({ coldBytes }) => orUnknown(coldBytes)]);
  const hasUnseen = (total.unseenBytes ?? 0) > 0;
  if (hasUnseen) columns.push(['not seen', ({ unseenBytes }) => orUnknown(unseenBytes)]);
  columns.push(['cold for', ({ coldForUs }) => formatAge(coldForUs)]);
  const nameColumns = hasRare || hasUnseen ? NARROW_NAMES : NAME_COLUMNS;
  const shown = mappings.slice(0, limit);
  const row = (use: MappingUse) => {
    const mark = isCounted && (use.sharedFileBytes ?? 0) > 0 && use !== total ? ' *' : '';
    const name = by === 'mapping' ? use.name : shortName(use.name, nameColumns - mark.length);
    return [name + mark, ...columns.map(([, value]) => value(use))];
  };
  const table = renderTable([['mapping', ...columns.map(([title]) => title)], ...shown.map(row), row(total)]);
  const sentences = [
    ...(mappings.length > shown.length ? [leftOut(mappings.length, shown.length, 'rows').trimStart()] : []),
    ...coldSentence(total, isResidentKnown),
    ...(isCounted && total.sharedFileBytes
      ? [
          `* mappings of files: ${formatBytes(total.sharedFileBytes)} of the accessed memory, which others may have accessed.`,
        ]
      : []),
    ...(hasUnseen ? [`Not seen: ${UNSEEN_KINDS}. It may be in use.`] : []),
    ...(unmappedBytes > 0 && !isResidentKnown
      ? [`Regions also cover ${formatBytes(unmappedBytes)} between the mappings, which is not counted here.`]
      : []),
  ];
  return [table, ...sentences].join('\n');
}

function coldSentence({ coldResidentBytes, residentBytes }: MappingUse, isExact: boolean): string[] {
  if (coldResidentBytes === null || residentBytes === null) return [];
  const atLeast = isExact ? '' : 'at least ';
  return [`Of ${formatBytes(residentBytes)} resident, ${atLeast}${formatBytes(coldResidentBytes)} was cold.`];
}
