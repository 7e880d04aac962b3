import type { Attrs } from '../core/attrs.js';
import type { Snapshot, SnapshotColumns } from '../core/snapshot.js';
import type { MonitorStats } from '../core/stats.js';
import type { CheckName, TargetInfo } from '../core/target.js';

/**
 * The record format (docs/design.md, "Records"): one JSON object a line. Addresses are hex strings without 0x, times
 * are microseconds since the start. Readers ignore types and fields they do not know.
 */
export const RECORD_VERSION = 1;

export interface HeaderLine {
  readonly type: 'header';
  readonly version: number;
  /** What wrote it, with its version. */
  readonly tool: string;
  /** ISO 8601. */
  readonly startedAt: string;
  /** CLOCK_MONOTONIC in nanoseconds, as decimal digits: lines the record up with traces. */
  readonly startedMonotonicNs: string;
  /** The kernel's release. */
  readonly kernel: string;
  /** In bytes. */
  readonly pageSize: number;
  readonly check: CheckName;
  readonly attrs: Attrs;
  readonly seed?: number;
}

export interface TargetLine extends TargetInfo {
  readonly type: 'target';
}

/** [start, end) as hex addresses, nrAccesses, age in aggregation intervals. */
export type RecordedRegion = readonly [start: string, end: string, nrAccesses: number, age: number];

export interface SnapshotLine {
  readonly type: 'snapshot';
  /** The id of its target line. */
  readonly target: number;
  readonly startUs: number;
  readonly endUs: number;
  readonly maxNrAccesses: number;
  readonly regions: readonly RecordedRegion[];
  /** What watching had cost by then, in percent of one core; left out where there is no such figure. */
  readonly cpuPercent?: number;
}

export interface EndLine {
  readonly type: 'end';
  readonly reason: string;
  /** Figures without a value (virtual time has no cost) are left out. */
  readonly stats: Partial<Omit<MonitorStats, 'threads'>>;
}

export type RecordLine = HeaderLine | TargetLine | SnapshotLine | EndLine;

/** A snapshot as its line. Written by hand: a thousand regions as objects would be made only to be thrown away. */
export function snapshotLine(snapshot: Snapshot): string {
  const { target, startUs, endUs, maxNrAccesses, pageSize, columns, stats } = snapshot;
  const { startPages, endPages, nrAccesses, ages } = columns;
  let regions = '';
  for (let i = 0; i < startPages.length; i++) {
    const start = (startPages[i]! * pageSize).toString(16);
    const end = (endPages[i]! * pageSize).toString(16);
    regions += `${i > 0 ? ',' : ''}["${start}","${end}",${nrAccesses[i]},${ages[i]}]`;
  }
  const cost = stats.cpuPercent === null ? '' : `,"cpuPercent":${round(stats.cpuPercent)}`;
  return (
    `{"type":"snapshot","target":${target.id},"startUs":${startUs},"endUs":${endUs},` +
    `"maxNrAccesses":${maxNrAccesses},"regions":[${regions}]${cost}}`
  );
}

export function endLine(reason: string, stats: MonitorStats): string {
  const { threads: _, cpuPercent, usPerSample, ...counts } = stats;
  const costs = {
    ...(cpuPercent !== null && { cpuPercent: round(cpuPercent) }),
    ...(usPerSample !== null && { usPerSample: round(usPerSample) }),
  };
  return JSON.stringify({ type: 'end', reason, stats: { ...counts, ...costs } } satisfies EndLine);
}

function round(figure: number): number {
  return Number(figure.toFixed(3));
}

/** The columns of a recorded snapshot, for what works on live snapshots too. */
export function columnsOfLine(line: SnapshotLine, pageSize: number): SnapshotColumns {
  const { regions } = line;
  return {
    startPages: Float64Array.from(regions, ([start]) => Number.parseInt(start, 16) / pageSize),
    endPages: Float64Array.from(regions, ([, end]) => Number.parseInt(end, 16) / pageSize),
    nrAccesses: Uint32Array.from(regions, ([, , nrAccesses]) => nrAccesses),
    ages: Uint32Array.from(regions, ([, , , age]) => age),
  };
}
