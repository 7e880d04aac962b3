import { printable } from '../../core/printable.js';
import type { Observation } from '../source/observation.js';
import { renderTable } from '../terminal-text.js';
import { formatBytes, formatShare } from '../units.js';
import { type AccessLimits, type MappingsOf, type MappingUse, workingSetOf } from './mapping-sums.js';
import { MappingsSummary } from './mappings.js';
import type { SourceInfo, Summary } from './summary.js';
import { headingOf, leftOut, NO_SNAPSHOTS, orUnknown, processNotes, shortName } from './text.js';
import { type WorkingSet, type WssProcess, WssSummary } from './wss.js';

/** One of the two recordings that are compared. */
export interface DiffSide {
  readonly processes: number;
  /** Null without a snapshot. */
  readonly workingSet: Pick<WorkingSet, 'bytes' | 'residentBytes' | 'unseenBytes'> | null;
  /** What was left out of each process, or is not known of it. */
  readonly known: readonly Pick<WssProcess, 'pid' | 'comm' | 'warmUpUs' | 'isSettled' | 'unknown'>[];
  readonly mappings: MappingsOf;
}

/** The mappings of one name, null where there were none. Changes are after - before, in bytes; null if not known. */
export interface MappingChange {
  readonly name: string;
  readonly before: MappingUse | null;
  readonly after: MappingUse | null;
  readonly workingSetChange: number;
  readonly hotChange: number | null;
  readonly coldChange: number | null;
}

/** A working set, and the mappings that make it up. */
export class DiffSideSummary implements Summary<DiffSide> {
  readonly #wss: WssSummary;
  readonly #mappings: MappingsSummary;

  constructor(limits: AccessLimits) {
    this.#wss = new WssSummary({ minAccessShare: limits.warmShare });
    this.#mappings = new MappingsSummary({ limits });
  }

  add(observation: Observation): void {
    this.#wss.add(observation);
    this.#mappings.add(observation);
  }

  result(): DiffSide {
    const { all, processes } = this.#wss.result();
    return {
      processes: processes.length,
      workingSet: all && {
        bytes: all.bytes,
        residentBytes: all.residentBytes,
        unseenBytes: all.unseenBytes,
      },
      known: processes.map(knownOf),
      mappings: this.#mappings.all(),
    };
  }
}

function knownOf({ pid, comm, warmUpUs, isSettled, unknown }: WssProcess): DiffSide['known'][number] {
  return { pid, comm, warmUpUs, isSettled, unknown };
}

/** The largest changes of the working set first, then those of hot and cold memory. */
export function changesBetween(before: MappingsOf, after: MappingsOf): MappingChange[] {
  const earlier = new Map(before.mappings.map((use) => [use.name, use]));
  const later = new Map(after.mappings.map((use) => [use.name, use]));
  const size = (change: number | null) => Math.abs(change ?? 0);
  return [...new Set([...earlier.keys(), ...later.keys()])]
    .map((name) => changeOf(name, earlier.get(name) ?? null, later.get(name) ?? null))
    .sort(
      (a, b) =>
        size(b.workingSetChange) - size(a.workingSetChange) ||
        size(b.hotChange) - size(a.hotChange) ||
        size(b.coldChange) - size(a.coldChange),
    );
}

function changeOf(name: string, before: MappingUse | null, after: MappingUse | null): MappingChange {
  const change = (value: (use: MappingUse) => number | null) => {
    const [earlier, later] = [before ? value(before) : 0, after ? value(after) : 0];
    return earlier === null || later === null ? null : later - earlier;
  };
  return {
    name,
    before,
    after,
    workingSetChange: change(workingSetOf) ?? 0,
    hotChange: change(({ hotBytes }) => hotBytes),
    coldChange: change(({ coldBytes }) => coldBytes),
  };
}

const NAME_COLUMNS = 20;
/** Mappings that are named in a sentence, at most. */
const NAMED = 3;
/** Of the larger working set: smaller changes are in the table alone. */
const WORTH_A_SENTENCE = 0.01;

export interface DiffText {
  readonly source: SourceInfo;
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
  const parts = [heading, summaryTable(before.side, after.side), ...notesOf(before, after)];
  if (old.bytes && now.bytes && now.bytes.p50 >= old.bytes.p5 && now.bytes.p50 <= old.bytes.p95)
    parts.push(
      'The median after is within the range before for 90 % of the time:\nthe difference may be chance.',
    );
  if (before.side.mappings.mappings.length === 0 || after.side.mappings.mappings.length === 0) {
    parts.push('One of the two has no mappings, so mappings cannot be compared.');
  } else if (old.bytes && now.bytes) {
    parts.push(
      mappingTable(changes, before.side, after.side, limit),
      ...becameOf(changes, old.bytes.p95, now.bytes.p95),
    );
  }
  return `${parts.join('\n\n')}\n`;
}

/** What of each side was left out, or is not known; and whether the two can be compared at all. */
function notesOf(before: DiffText, after: DiffText): string[] {
  const notes = [before, after].flatMap(({ side: { known } }, i) =>
    processNotes(known).map((text, line) => (line === 0 ? `${i === 0 ? 'Before' : 'After'}: ${text}` : text)),
  );
  const [old, now] = [before, after].map(({ source }) => printable(source.check));
  if (old !== now)
    notes.push(
      `Before was recorded with the ${old} check, after with the ${now} check; they count differently.`,
    );
  return notes.length > 0 ? [notes.join('\n')] : [];
}

function summaryTable(before: DiffSide, after: DiffSide): string {
  const [old, now] = [before.workingSet!, after.workingSet!];
  const rows: [string, number | null, number | null][] = [
    ...(['mean', 'p50', 'p95'] as const).map((name): [string, number | null, number | null] => [
      `working set, ${name}`,
      old.bytes?.[name] ?? null,
      now.bytes?.[name] ?? null,
    ]),
    ['resident', old.residentBytes, now.residentBytes],
  ];
  if (old.unseenBytes || now.unseenBytes) rows.push(['not seen', old.unseenBytes, now.unseenBytes]);
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
  // Where accesses are counted by mapping, nothing is hot or warm.
  const hasHot = changeOf('total', before, after).hotChange !== null;
  const row = (change: MappingChange) => [
    shortName(change.name, NAME_COLUMNS),
    change.before ? formatBytes(workingSetOf(change.before)) : '-',
    change.after ? formatBytes(workingSetOf(change.after)) : '-',
    formatChange(change.workingSetChange),
    ...(hasHot ? [formatChange(change.hotChange)] : []),
    formatChange(change.coldChange),
  ];
  const table = renderTable([
    ['working set in', 'before', 'after', 'change', ...(hasHot ? ['hot'] : []), 'cold'],
    ...changes.slice(0, limit).map(row),
    row(changeOf('total', before, after)),
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
    ...sentence('More is hot', ({ hotChange }) => hotChange ?? 0),
    ...sentence('Less is hot', ({ hotChange }) => -(hotChange ?? 0)),
    ...sentence('More is cold', ({ coldChange }) => coldChange ?? 0),
    ...sentence('Less is cold', ({ coldChange }) => -(coldChange ?? 0)),
  ];
  return sentences.length > 0 ? [sentences.join('\n')] : [];
}

/** `+32 MiB`, `-4 KiB`, `0 B`, `-` if it is not known. */
function formatChange(bytes: number | null): string {
  if (bytes === null) return '-';
  if (bytes === 0) return '0 B';
  return `${bytes > 0 ? '+' : '-'}${formatBytes(Math.abs(bytes))}`;
}

function signed(share: number): string {
  return share === 0 ? '' : `${share > 0 ? '+' : '-'}${formatShare(Math.abs(share))}`;
}
