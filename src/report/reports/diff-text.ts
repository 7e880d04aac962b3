import { renderTable } from '../table.js';
import { formatBytes, formatShare } from '../units.js';
import { changeOf, type DiffSide, type MappingChange } from './diff.js';
import { workingSetOf } from './mappings.js';
import type { SourceSummary } from './report.js';
import { headingOf, leftOut, NO_SNAPSHOTS, shortName } from './text.js';

const NAME_COLUMNS = 20;
/** Mappings that are named in a sentence, at most. */
const NAMED = 3;
/** Of the larger working set: smaller changes are in the table alone. */
const WORTH_A_SENTENCE = 0.01;

export interface DiffText {
  readonly source: SourceSummary;
  readonly side: DiffSide;
}

export function renderDiff(
  before: DiffText,
  after: DiffText,
  changes: readonly MappingChange[],
  limit: number,
): string {
  const heading = [
    `Before: ${headingOf(before.source, before.side.processes)}`,
    `After: ${headingOf(after.source, after.side.processes)}`,
  ].join('\n');
  const [old, now] = [before.side.workingSet, after.side.workingSet];
  if (!old || !now) return `${heading}\n${old ? 'after' : 'before'}: ${NO_SNAPSHOTS}\n`;
  const parts = [heading, summaryTable(before.side, after.side)];
  const { p5, p95 } = old.bytes;
  if (now.bytes.p50 >= p5 && now.bytes.p50 <= p95)
    parts.push('The median after lies within what it was before for 90 % of the time:\nit may be chance.');
  if (before.side.mappings.mappings.length === 0 || after.side.mappings.mappings.length === 0) {
    parts.push('One of the two does not tell what was mapped, so mappings cannot be compared.');
  } else {
    parts.push(
      mappingTable(changes, before.side, after.side, limit),
      ...becameOf(changes, old.bytes.p95, now.bytes.p95),
    );
  }
  return `${parts.join('\n\n')}\n`;
}

function summaryTable(before: DiffSide, after: DiffSide): string {
  const [old, now] = [before.workingSet!, after.workingSet!];
  const rows: [string, number | null, number | null][] = [
    ['working set, mean', old.bytes.mean, now.bytes.mean],
    ['working set, p50', old.bytes.p50, now.bytes.p50],
    ['working set, p95', old.bytes.p95, now.bytes.p95],
    ['resident', old.residentBytes, now.residentBytes],
  ];
  return renderTable([
    ['', 'before', 'after', 'change', ''],
    ...rows.map(([name, a, b]) => {
      if (a === null || b === null) return [name, orUnknown(a), orUnknown(b), '-', ''];
      return [name, formatBytes(a), formatBytes(b), formatChange(b - a), a > 0 ? signed((b - a) / a) : ''];
    }),
  ]);
}

function mappingTable(
  changes: readonly MappingChange[],
  { mappings: { total: before } }: DiffSide,
  { mappings: { total: after } }: DiffSide,
  limit: number,
): string {
  const row = (change: MappingChange) => [
    shortName(change.name, NAME_COLUMNS),
    change.before ? formatBytes(workingSetOf(change.before)) : '-',
    change.after ? formatBytes(workingSetOf(change.after)) : '-',
    formatChange(change.workingSetChange),
    formatChange(change.hotChange),
    formatChange(change.coldChange),
  ];
  const table = renderTable([
    ['working set in', 'before', 'after', 'change', 'hot', 'cold'],
    ...changes.slice(0, limit).map(row),
    row(changeOf('together', before, after)),
  ]);
  return table + leftOut(changes.length, Math.min(limit, changes.length), 'mappings');
}

function becameOf(changes: readonly MappingChange[], before: number, after: number): string[] {
  const least = WORTH_A_SENTENCE * Math.max(before, after);
  const sentence = (what: string, change: (of: MappingChange) => number) => {
    const most = changes.filter((each) => change(each) > least).sort((a, b) => change(b) - change(a));
    const named = most
      .slice(0, NAMED)
      .map((each) => `${shortName(each.name, 40)} by ${formatBytes(change(each))}`);
    return named.length > 0 ? [`${what}: ${named.join(', ')}.`] : [];
  };
  const sentences = [
    ...sentence('More is hot', ({ hotChange }) => hotChange),
    ...sentence('Less is hot', ({ hotChange }) => -hotChange),
    ...sentence('More is cold', ({ coldChange }) => coldChange),
    ...sentence('Less is cold', ({ coldChange }) => -coldChange),
  ];
  return sentences.length > 0 ? [sentences.join('\n')] : [];
}

/** `+32 MiB`, `-4 KiB`, `0 B`. */
function formatChange(bytes: number): string {
  if (bytes === 0) return '0 B';
  return `${bytes > 0 ? '+' : '-'}${formatBytes(Math.abs(bytes))}`;
}

function signed(share: number): string {
  return share === 0 ? '' : `${share > 0 ? '+' : '-'}${formatShare(Math.abs(share))}`;
}

function orUnknown(bytes: number | null): string {
  return bytes === null ? '-' : formatBytes(bytes);
}
