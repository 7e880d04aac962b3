import type { Attrs } from '../core/attrs.js';
import { jsonText } from '../core/printable.js';
import type { Snapshot } from '../core/snapshot.js';
import type { AttrsChange, MonitorStats } from '../core/stats.js';
import type { OtherWatcher, TargetInfo } from '../core/target.js';
import type { MemoryFactsChange } from '../processes/facts.js';

/**
 * The record format (docs/design.md, "Records"): one JSON object per line. Addresses are hex strings without 0x, times are
 * microseconds since the start. Readers ignore types and fields they do not know.
 */
export const RECORD_VERSION = 1;

/** The first line. Strings that a record of another program lacks are read as empty. */
export interface HeaderLine {
  readonly type: 'header';
  readonly version: number;
  /** The program that wrote the record, with its version. */
  readonly tool: string;
  /** ISO 8601. */
  readonly startedAt: string;
  /** CLOCK_MONOTONIC in nanoseconds, as decimal digits: lines the record up with traces. */
  readonly startedMonotonicNs: string;
  /** The kernel's release. */
  readonly kernel: string;
  /** In bytes. */
  readonly pageSize: number;
  readonly check: string;
  /** Which part of the address space the regions lie over (CoverName); missing for `three-ranges` in older records. */
  readonly cover?: string;
  /** At the start; `attrs` lines hold the changes. */
  readonly attrs: Attrs;
  readonly seed?: number;
}

/**
 * [start, end) as hex addresses; permissions and name as in /proc/PID/maps: a path, `[heap]`, `[anon:name]`, or empty for
 * unnamed memory.
 */
export type RecordedMapping = readonly [start: string, end: string, permissions: string, name: string];

/** What a target has mapped, and how much of that is resident. Fields that could not be read are left out. */
export interface RecordedMemory {
  /** In address order; a `mappings` line has only the new and changed ones. */
  readonly mappings?: readonly RecordedMapping[];
  /** Of the whole process. */
  readonly residentBytes?: number;
  /** Bytes of single mappings, by their start; a `mappings` line has only those that changed. */
  readonly resident?: readonly (readonly [start: string, bytes: number])[];
}

export interface MemoryChange extends RecordedMemory {
  /** Starts of mappings that are gone. They are removed before `mappings` are added. */
  readonly removed?: readonly string[];
}

/** A process, before its first snapshot. */
export interface TargetLine extends TargetInfo, RecordedMemory {
  readonly type: 'target';
}

/** How a target's memory has changed since its target line and the earlier `mappings` lines. */
export interface MappingsLine extends MemoryChange {
  readonly type: 'mappings';
  readonly target: number;
  readonly atUs: number;
}

/**
 * [start, end) as hex addresses, nrAccesses, age in aggregation intervals. The `evidence` adaptation adds the samples behind
 * nrAccesses, the standard deviation of the start in pages, and how many pages may be accessed unlike the rest. Trailing
 * zeros of the last two are left out.
 */
export type RecordedRegion = readonly [
  start: string,
  end: string,
  nrAccesses: number,
  age: number,
  samples?: number,
  deviation?: number,
  unlike?: number,
];

/** MonitorStats without the threads. A cost without a value, as on virtual time, is left out. */
export type RecordedStats = {
  readonly [K in keyof Omit<MonitorStats, 'threads'>]?: Exclude<MonitorStats[K], null>;
};

/** The cost of monitoring when a snapshot was made, as in MonitorStats: it says how far to trust the snapshot. */
export type RecordedCost = Pick<RecordedStats, 'cpuPercent' | (typeof COST_COUNTS)[number]>;

/** A count of 0 is left out: most stay 0 in most recordings, and a snapshot of few regions is a short line. */
export const COST_COUNTS = ['ticks', 'overruns', 'droppedSnapshots', 'lostSamplers', 'lostTicks'] as const;

/** New attrs are in force; stands before the first snapshot that ended under them. */
export interface AttrsLine extends AttrsChange {
  readonly type: 'attrs';
}

/** Another monitor cleared accessed bits: from then on, nrAccesses may be too low. */
export interface OtherWatcherLine extends OtherWatcher {
  readonly type: 'otherWatcher';
}

/** Bytes of each region, in the order of `regions`; docs/design.md ("Records") has an example. */
export interface RegionMemory {
  /** Resident bytes: exact with `accessed`, otherwise estimated from the samples. */
  readonly resident: readonly number[];
  /** Resident bytes that the check cannot see; left out if there are none. */
  readonly unseen?: readonly number[];
  /** Bytes accessed in the interval, exactly; left out by checks that sample pages. */
  readonly accessed?: readonly number[];
  /** Bytes that each region covers; left out if that is all from its start to its end, in every region. */
  readonly mapped?: readonly number[];
}

/** One target's regions at the end of one aggregation interval. */
export interface SnapshotLine {
  readonly type: 'snapshot';
  /** The id of its target line. */
  readonly target: number;
  readonly startUs: number;
  readonly endUs: number;
  readonly maxNrAccesses: number;
  readonly regions: readonly RecordedRegion[];
  /** Of the whole process, hugetlb included, as last read. */
  readonly residentBytes?: number;
  readonly memory?: RegionMemory;
  /** The regions still adapt to the target; left out once they have settled. */
  readonly settling?: true;
  readonly cost?: RecordedCost;
}

/** The last line; missing if the recording was cut off. */
export interface EndLine {
  readonly type: 'end';
  /** `stopped`, `duration`, `targets ended`, `error`, ... */
  readonly reason: string;
  readonly stats: RecordedStats;
}

export type RecordLine =
  | HeaderLine
  | TargetLine
  | MappingsLine
  | AttrsLine
  | OtherWatcherLine
  | SnapshotLine
  | EndLine;

export function headerLine(header: Omit<HeaderLine, 'type' | 'version'>): string {
  return jsonText({ type: 'header', version: RECORD_VERSION, ...header } satisfies HeaderLine);
}

export function targetLine(target: TargetInfo, memory: RecordedMemory = {}): string {
  return jsonText({ type: 'target', ...target, ...memory } satisfies TargetLine);
}

export function mappingsLine(target: TargetInfo, atUs: number, change: MemoryChange): string {
  return jsonText({ type: 'mappings', target: target.id, atUs, ...change } satisfies MappingsLine);
}

/** Facts as a record has them; `factsOf` is the reverse. */
export function recordedMemory(facts: MemoryFactsChange, pageSize: number): MemoryChange {
  const { removed, mappings, residentBytes, resident } = facts;
  const address = (page: number) => (page * pageSize).toString(16);
  return {
    ...(removed && { removed: removed.map(address) }),
    ...(mappings && {
      mappings: mappings.map(
        ({ startPage, endPage, permissions, name }) =>
          [address(startPage), address(endPage), permissions, name] as const,
      ),
    }),
    ...(residentBytes !== undefined && { residentBytes }),
    ...(resident && { resident: resident.map(([startPage, bytes]) => [address(startPage), bytes] as const) }),
  };
}

export function factsOf(recorded: MemoryChange, pageSize: number): MemoryFactsChange {
  const { removed, mappings, residentBytes, resident } = recorded;
  const page = (address: string) => Number.parseInt(address, 16) / pageSize;
  return {
    ...(removed && { removed: removed.map(page) }),
    ...(mappings && {
      mappings: mappings.map(([start, end, permissions, name]) => {
        const startPage = page(start);
        return { startPage, endPage: Math.max(startPage, page(end)), permissions, name };
      }),
    }),
    ...(residentBytes !== undefined && { residentBytes }),
    ...(resident && { resident: resident.map(([start, bytes]) => [page(start), bytes] as const) }),
  };
}

export function attrsLine({ atUs, attrs, reason, turns }: AttrsChange): string {
  return jsonText({ type: 'attrs', atUs, attrs, reason, turns } satisfies AttrsLine);
}

export function otherWatcherLine({ atUs, pid, comm, targets }: OtherWatcher): string {
  return jsonText({ type: 'otherWatcher', atUs, pid, comm, targets } satisfies OtherWatcherLine);
}

/** Builds the text by hand: JSON.stringify would need a thousand short-lived arrays. */
export function snapshotLine(snapshot: Snapshot): string {
  const { target, startUs, endUs, maxNrAccesses, pageSize, columns } = snapshot;
  const { startPages, endPages, nrAccesses, ages, samples, deviations, unlike } = columns;
  let regions = '';
  for (let i = 0; i < startPages.length; i++) {
    const start = (startPages[i]! * pageSize).toString(16);
    const end = (endPages[i]! * pageSize).toString(16);
    regions += `${i > 0 ? ',' : ''}["${start}","${end}",${nrAccesses[i]},${ages[i]}`;
    if (samples) regions += `,${samples[i]}`;
    if (samples && (deviations?.[i] || unlike?.[i])) regions += `,${thousandths(deviations?.[i] ?? 0)}`;
    if (samples && unlike?.[i]) regions += `,${thousandths(unlike[i]!)}`;
    regions += ']';
  }
  return (
    `{"type":"snapshot","target":${target.id},"startUs":${startUs},"endUs":${endUs},` +
    `"maxNrAccesses":${maxNrAccesses},"regions":[${regions}]${memoryFields(snapshot)},` +
    `"cost":${JSON.stringify(recordedCost(snapshot.stats))}}`
  );
}

function memoryFields({ columns, residentBytes, pageSize, isSettling }: Snapshot): string {
  const { startPages, endPages, residentPages, unseenPages, accessedPages, mappedPages } = columns;
  const bytes = (pages: Float64Array) => `[${pages.map((count) => Math.round(count) * pageSize).join()}]`;
  let fields = '';
  if (residentBytes !== undefined) fields += `,"residentBytes":${residentBytes}`;
  if (residentPages) {
    fields += `,"memory":{"resident":${bytes(residentPages)}`;
    if (unseenPages?.some((pages) => pages > 0)) fields += `,"unseen":${bytes(unseenPages)}`;
    if (accessedPages) fields += `,"accessed":${bytes(accessedPages)}`;
    if (mappedPages?.some((pages, i) => pages !== endPages[i]! - startPages[i]!))
      fields += `,"mapped":${bytes(mappedPages)}`;
    fields += '}';
  }
  return isSettling ? `${fields},"settling":true` : fields;
}

export function endLine(reason: string, stats: MonitorStats): string {
  return jsonText({ type: 'end', reason, stats: recordedStats(stats) } satisfies EndLine);
}

function recordedStats(stats: MonitorStats): RecordedStats {
  const { threads: _, cpuPercent, recentCpuPercent, usPerSample, meanLateUs, maxLateUs, ...counts } = stats;
  return {
    ...counts,
    ...(cpuPercent !== null && { cpuPercent: thousandths(cpuPercent) }),
    ...(recentCpuPercent !== null && { recentCpuPercent: thousandths(recentCpuPercent) }),
    ...(usPerSample !== null && { usPerSample: thousandths(usPerSample) }),
    ...(meanLateUs !== null && { meanLateUs: Math.round(meanLateUs) }),
    ...(maxLateUs !== null && { maxLateUs: Math.round(maxLateUs) }),
  };
}

function recordedCost(stats: MonitorStats): RecordedCost {
  const { cpuPercent } = stats;
  const counts = COST_COUNTS.filter((name) => stats[name] > 0).map((name) => [name, stats[name]] as const);
  return {
    ...(cpuPercent !== null && { cpuPercent: thousandths(cpuPercent) }),
    ...Object.fromEntries(counts),
  };
}

function thousandths(figure: number): number {
  return Number(figure.toFixed(3));
}
