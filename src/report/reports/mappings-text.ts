import { renderTable } from '../table.js';
import { formatBytes, formatShare } from '../units.js';
import type { MappingsOf, MappingsResult, MappingUse } from './mappings.js';
import type { SourceSummary } from './report.js';
import { count, formatAge, headingOf, leftOut, NO_SNAPSHOTS, nameOfProcess, shortName } from './text.js';

const NAME_COLUMNS = 20;
const NAMES_WITH_RARE = 17;

export interface MappingsTextOptions {
  readonly limit: number;
  /** A table for each process, not one of their sums. */
  readonly perProcess: boolean;
}

export function renderMappings(
  source: SourceSummary,
  result: MappingsResult,
  { limit, perProcess }: MappingsTextOptions,
): string {
  const { processes, all, limits, snapshotsWithoutMappings } = result;
  const heading = headingOf(source, processes.length);
  if (processes.length === 0) return `${heading}\n${NO_SNAPSHOTS}\n`;
  if (all.mappings.length === 0) {
    return (
      `${heading}\nThis record does not tell what was mapped, as older ones do not: ` +
      '`report wss` and `report access` show what it has.\n'
    );
  }
  const warm = limits.warmShare > 0 ? `warm: ${formatShare(limits.warmShare)} or more; rare` : 'warm';
  const parts = [
    `${heading}\nMeans over this time. Hot: accessed in ${formatShare(limits.hotShare)} of samples or more; ${warm}: less;\n` +
      'cold: in none.',
  ];
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

function tableOf(
  { mappings, total, unmappedBytes }: MappingsOf,
  { by, limits }: MappingsResult,
  limit: number,
): string {
  const hasRare = limits.warmShare > 0;
  const nameColumns = hasRare ? NAMES_WITH_RARE : NAME_COLUMNS;
  const shown = mappings.slice(0, limit);
  const row = (use: MappingUse) => [
    by === 'mapping' ? use.name : shortName(use.name, nameColumns),
    formatBytes(use.sizeBytes),
    use.residentBytes === null ? '-' : formatBytes(use.residentBytes),
    formatBytes(use.hotBytes),
    formatBytes(use.warmBytes),
    ...(hasRare ? [formatBytes(use.rareBytes)] : []),
    formatBytes(use.coldBytes),
    formatAge(use.coldForUs),
  ];
  const table = renderTable([
    ['mapping', 'size', 'resident', 'hot', 'warm', ...(hasRare ? ['rare'] : []), 'cold', 'cold for'],
    ...shown.map(row),
    row(total),
  ]);
  const sentences = [
    ...(mappings.length > shown.length ? [leftOut(mappings.length, shown.length, 'rows').trimStart()] : []),
    ...(total.coldResidentBytes === null
      ? []
      : [
          `Of ${formatBytes(total.residentBytes!)} resident at least ${formatBytes(total.coldResidentBytes)} was cold.`,
        ]),
    ...(unmappedBytes > 0
      ? [`Regions also cover ${formatBytes(unmappedBytes)} between the mappings, which count nowhere here.`]
      : []),
  ];
  return [table, ...sentences].join('\n');
}
