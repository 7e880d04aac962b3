import type { Snapshot } from '../../core/snapshot.js';
import type { ObservedMapping } from '../../record/observed-memory.js';
import { renderChart, sparkline } from '../charts.js';
import { forEachOverlap, isSharedFile } from '../region-mappings.js';
import type { Observation } from '../source/observation.js';
import { nameOfProcess } from '../status-text.js';
import { renderTable } from '../terminal-text.js';
import { formatBytes, formatDuration, formatShare, tidy } from '../units.js';
import {
  type ProcessInfo,
  ProcessSums,
  type SourceInfo,
  Span,
  type Summary,
  sumsOfProcess,
} from './summary.js';
import { count, headingOf, leftOut, NO_SNAPSHOTS, processNotes, UNSEEN_KINDS } from './text.js';
import { type OverTime, type Spread, sumOf, TimeSeries } from './time-series.js';

export interface WssOptions {
  /** Regions with at least this access share, 0 .. 1, are in the working set; 0: with any access. */
  readonly minAccessShare: number;
  /** Of the working set over time; by default a 60th of the whole. */
  readonly stepUs?: number;
}

/** A working set and the memory around it, in bytes. Means are over time; null is not known. */
export interface WorkingSet {
  /** Null also if samples hardly ever meet memory. */
  readonly bytes: Spread | null;
  /** The mean, and the 95th percentile, which p95 of a working set never exceeds. */
  readonly residentBytes: number | null;
  readonly residentP95Bytes: number | null;
  /** Where the mean lies, by the 95 % intervals of the snapshots. */
  readonly interval: { readonly lowBytes: number; readonly highBytes: number } | null;
  /** The part of the mean in mappings of files, which others may have accessed; null unless accesses are counted. */
  readonly sharedFileBytes: number | null;
  /** Memory that the check cannot see, which is in no working set. */
  readonly unseenBytes: number | null;
  readonly overTime: OverTime;
}

export interface WssProcess extends ProcessInfo, WorkingSet {}

export interface WssResult {
  readonly minAccessShare: number;
  /** Whether accessed bytes are counted by mapping, once a snapshot, so that no share of samples means anything. */
  readonly isCounted: boolean;
  /** Whether the resident part of every region is known; older records lack it, and count whole regions. */
  readonly isResidentKnown: boolean;
  /** At each moment the sum of the processes that are watched then; null without a snapshot. */
  readonly all: WorkingSet | null;
  readonly processes: readonly WssProcess[];
}

/** How each quantity of one process, or of all, changed over time. */
interface Quantities {
  readonly bytes: TimeSeries;
  readonly lowBytes: TimeSeries;
  readonly highBytes: TimeSeries;
  readonly residentBytes: TimeSeries;
  readonly sharedFileBytes: TimeSeries;
  readonly unseenBytes: TimeSeries;
}

class WssSums extends ProcessSums implements Quantities {
  readonly bytes = new TimeSeries();
  readonly lowBytes = new TimeSeries();
  readonly highBytes = new TimeSeries();
  readonly residentBytes = new TimeSeries();
  readonly sharedFileBytes = new TimeSeries();
  readonly unseenBytes = new TimeSeries();

  add(observation: Observation, minAccessShare: number): void {
    const { snapshot, mappings, residentBytes } = observation;
    const { startUs, endUs, maxNrAccesses, columns } = snapshot;
    const isKnown = this.knows(observation);
    // Without rounding errors: 7 % of 100 is 7.000000000000001.
    const minNrAccesses = Math.max(1, Math.ceil(minAccessShare * maxNrAccesses - 1e-9));
    const estimate = isKnown ? snapshot.workingSet(minNrAccesses) : undefined;
    const add = (series: TimeSeries, bytes: number | undefined) =>
      series.add(startUs, endUs, bytes ?? Number.NaN);
    add(this.residentBytes, snapshot.residentBytes ?? residentBytes);
    add(this.unseenBytes, columns.unseenPages && snapshot.unseenBytes());
    add(this.bytes, isKnown ? (estimate?.bytes ?? snapshot.workingSetBytes(minNrAccesses)) : undefined);
    add(this.lowBytes, estimate?.lowBytes);
    add(this.highBytes, estimate?.highBytes);
    add(this.sharedFileBytes, isKnown ? sharedFileBytes(snapshot, mappings) : undefined);
  }
}

const DEFAULT_STEPS = 60;
/** With more it would be another record. */
const MAX_STEPS = 100_000;

/** The working set: percentiles, and over time, of each process and of all. */
export class WssSummary implements Summary<WssResult> {
  readonly #processes = new Map<number, WssSums>();
  readonly #span = new Span();
  #isCounted = false;
  #isResidentKnown = true;

  constructor(readonly options: WssOptions) {}

  add(observation: Observation): void {
    const { snapshot } = observation;
    const { target, startUs, endUs, columns } = snapshot;
    this.#span.add(startUs, endUs);
    this.#isCounted ||= columns.accessedPages !== undefined;
    this.#isResidentKnown &&= columns.residentPages !== undefined;
    const sums = sumsOfProcess(this.#processes, snapshot, (warmUp) => new WssSums(target, warmUp));
    sums.add(observation, this.options.minAccessShare);
  }

  result(): WssResult {
    const { minAccessShare } = this.options;
    const all = [...this.#processes.values()];
    const processes = all.map(
      (sums): WssProcess => ({ ...sums.info, ...this.#workingSet(sums, sums.info.unknown !== null) }),
    );
    const result = { minAccessShare, isCounted: this.#isCounted, isResidentKnown: this.#isResidentKnown };
    if (all.length === 0) return { ...result, all: null, processes };
    const sum = (quantity: keyof Quantities, isKnown = true) =>
      sumOf(isKnown ? all.map((sums) => sums[quantity]) : []);
    const known = processes.filter(({ unknown }) => unknown === null);
    const hasIntervals = known.every(({ interval }) => interval !== null);
    const isResidentRead = processes.every(({ residentBytes }) => residentBytes !== null);
    const sums = {
      bytes: sum('bytes'),
      lowBytes: sum('lowBytes', hasIntervals),
      highBytes: sum('highBytes', hasIntervals),
      residentBytes: sum('residentBytes', isResidentRead),
      sharedFileBytes: sum('sharedFileBytes'),
      unseenBytes: sum('unseenBytes'),
    };
    return { ...result, all: this.#workingSet(sums, known.length === 0), processes };
  }

  #workingSet(series: Quantities, isUnknown: boolean): WorkingSet {
    const { startUs, us } = this.#span;
    const stepUs = Math.max(this.options.stepUs ?? us / DEFAULT_STEPS, us / MAX_STEPS, 1);
    const steps = Math.max(1, Math.ceil(us / stepUs));
    const [low, high] = [series.lowBytes.spread(), series.highBytes.spread()];
    const resident = series.residentBytes.spread();
    return {
      bytes: series.bytes.spread() ?? (isUnknown ? null : NOTHING),
      residentBytes: resident?.mean ?? null,
      residentP95Bytes: resident?.p95 ?? null,
      interval: low && high ? { lowBytes: low.mean, highBytes: high.mean } : null,
      sharedFileBytes: series.sharedFileBytes.spread()?.mean ?? null,
      unseenBytes: series.unseenBytes.spread()?.mean ?? null,
      overTime: series.bytes.overTime(startUs, stepUs, steps),
    };
  }
}

/** Of snapshots that took no time. */
const NOTHING: Spread = { mean: 0, min: 0, p5: 0, p25: 0, p50: 0, p75: 0, p95: 0, p99: 0, max: 0 };

/** Accessed bytes in mappings of files; undefined unless accesses are counted by mapping. */
function sharedFileBytes(
  { columns, pageSize }: Snapshot,
  mappings: readonly ObservedMapping[],
): number | undefined {
  const { accessedPages, startPages, endPages } = columns;
  if (!accessedPages || mappings.length === 0) return undefined;
  let shared = 0;
  forEachOverlap(columns, mappings, (region, mapping, pages) => {
    if (accessedPages[region]! === 0 || !isSharedFile(mappings[mapping]!)) return;
    shared += (accessedPages[region]! * pages) / (endPages[region]! - startPages[region]!);
  });
  return Math.round(shared * pageSize);
}

const CHART_ROWS = 8;
/** Of a process. */
const TREND_CELLS = 12;
const NOT_KNOWN = 'not known';

/** The processes with the largest working sets, their sum, and the sum over time. */
export function renderWss(source: SourceInfo, result: WssResult, limit: number): string {
  const { all, processes } = result;
  const heading = headingOf(source, processes.length);
  if (!all) return `${heading}\n${NO_SNAPSHOTS}\n`;
  const largest = [...processes].sort((a, b) => (b.bytes?.p95 ?? -1) - (a.bytes?.p95 ?? -1));
  const shown = largest.slice(0, limit);
  const rows = shown.map((process) => rowOf(nameOfProcess(process, 16), process));
  if (processes.length > 1) rows.push(rowOf(`all ${processes.length}`, all));
  const table = renderTable(
    [['process', 'p50', 'p95', 'max', 'resident', 'needs', 'over time'], ...rows],
    [0, 6],
  );
  const parts = [
    `${heading}\nWorking set: memory ${whatCounts(result)}`,
    table + leftOut(largest.length, shown.length, 'processes'),
    ...notesOf(result),
    ...(all.bytes
      ? [percentilesOf(all, all.bytes), needsOf(all, all.bytes, result), chartOf(all, processes.length)]
      : []),
  ];
  return `${parts.join('\n\n')}\n`;
}

function whatCounts({ minAccessShare, isCounted, isResidentKnown }: WssResult): string {
  if (isCounted) return 'accessed in a snapshot, counted by mapping';
  const regions = isResidentKnown ? 'resident in regions' : 'in regions';
  if (minAccessShare === 0) return `${regions} accessed`;
  return `${regions} accessed in at least ${formatShare(minAccessShare)} of the samples`;
}

function rowOf(name: string, { bytes, residentP95Bytes, overTime }: WorkingSet): string[] {
  return [
    name,
    ...(bytes ? [bytes.p50, bytes.p95, bytes.max].map(formatBytes) : [NOT_KNOWN, '-', '-']),
    residentP95Bytes === null ? '-' : formatBytes(residentP95Bytes),
    residentP95Bytes && bytes ? percentOrMore(bytes.p95 / residentP95Bytes) : '-',
    sparkline(inCells(overTime.values, TREND_CELLS), TREND_CELLS),
  ];
}

/** What a person must know of the figures. */
function notesOf({ all, processes, isCounted, minAccessShare }: WssResult): string[] {
  const notes = processNotes(processes);
  if (isCounted && minAccessShare > 0)
    notes.push('--min-access has no effect here: with one look per snapshot there is no share of samples.');
  if (all?.sharedFileBytes)
    notes.push(
      `${formatBytes(all.sharedFileBytes)} of the mean are in mappings of files, which others may have accessed:`,
      'the kernel remembers that a page was accessed, but not by whom.',
    );
  if (all?.unseenBytes)
    notes.push(
      `Not seen: ${formatBytes(all.unseenBytes)} resident (${UNSEEN_KINDS}),`,
      'which may be in use, but is in no working set.',
    );
  return notes.length > 0 ? [notes.join('\n')] : [];
}

function percentilesOf({ interval }: WorkingSet, bytes: Spread): string {
  const names = ['min', 'p5', 'p25', 'p50', 'p75', 'p95', 'p99', 'max'] as const;
  const table = renderTable([names, names.map((name) => formatBytes(bytes[name]))], []);
  const range = interval && [interval.lowBytes, interval.highBytes].map(formatBytes).join(' and ');
  const mean = range
    ? `\nThe mean is ${formatBytes(bytes.mean)}, with 95 % confidence between ${range}.`
    : '';
  return `Percentiles over time, in total\n${table}${mean}`;
}

function needsOf({ residentP95Bytes }: WorkingSet, { p95 }: Spread, result: WssResult): string {
  const { processes, isResidentKnown } = result;
  const many =
    processes.length > 1
      ? `\nPages that several of these ${processes.length} processes map count for each of them.`
      : '';
  if (residentP95Bytes === null)
    return `Needs ${formatBytes(p95)} (p95). Resident memory was not recorded.${many}`;
  const isOver = !isResidentKnown && p95 > residentP95Bytes;
  const over = isOver ? ':\nwhole regions, which hold memory that is not resident' : '';
  return (
    `Needs ${formatBytes(p95)} of ${formatBytes(residentP95Bytes)} resident, for 95 % of the time` +
    `${residentP95Bytes > 0 && !isOver ? ` (${formatShare(p95 / residentP95Bytes)})` : over}.${many}`
  );
}

function chartOf({ overTime: { startUs, stepUs, values } }: WorkingSet, processes: number): string {
  const shown = values.length > 60 ? inCells(values, 60) : values;
  const ends = [startUs, startUs + stepUs * values.length].map((us) => formatDuration(tidy(us))) as [
    string,
    string,
  ];
  const whose = processes > 1 ? `, sum of ${count(processes, 'process', 'processes')}` : '';
  return `Working set over time${whose}\n${renderChart(shown, CHART_ROWS, formatBytes, ends)}`;
}

/** As many values as there are cells: means of neighbours. Unknown ones are null, at the ends as well. */
function inCells(values: readonly (number | null)[], cells: number): (number | null)[] {
  return Array.from({ length: Math.min(cells, values.length) }, (_, i) => {
    const [from, to] = [i, i + 1].map((at) =>
      Math.floor((at * values.length) / Math.min(cells, values.length)),
    );
    const known = values.slice(from, to).filter((value) => value !== null);
    return known.length > 0 ? known.reduce((sum, value) => sum + value, 0) / known.length : null;
  });
}

/** Above 100 % only in older records, which count whole regions. */
function percentOrMore(share: number): string {
  return share > 1.005 ? '>100 %' : formatShare(share);
}
