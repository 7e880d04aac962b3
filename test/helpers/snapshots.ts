import fc from 'fast-check';
import { DEFAULT_ATTRS } from '../../src/core/attrs.js';
import { Snapshot, type SnapshotHeader } from '../../src/core/snapshot.js';
import type { SnapshotColumns } from '../../src/core/snapshot-columns.js';
import type { AttrsReason, MonitorStats } from '../../src/core/stats.js';
import type { TargetInfo } from '../../src/core/target.js';

export const PAGE = 4_096;

/** [startPage, endPage, nrAccesses, age], and with evidence samples, the deviation of startPage, and unlike pages. */
export type RegionRow = readonly [number, number, number, number, number?, number?, number?];

/** Pages of each region; accessed ones if they are counted by mapping. */
export interface RegionPages {
  readonly resident: readonly number[];
  readonly unseen?: readonly number[];
  readonly accessed?: readonly number[];
  /** If regions reach over gaps. */
  readonly mapped?: readonly number[];
}

/** The optional columns are present if the first row, or `pages`, has them. */
export function columnsFrom(rows: readonly RegionRow[], pages?: RegionPages): SnapshotColumns {
  return {
    startPages: Float64Array.from(rows, (row) => row[0]),
    endPages: Float64Array.from(rows, (row) => row[1]),
    nrAccesses: Uint32Array.from(rows, (row) => row[2]),
    ages: Uint32Array.from(rows, (row) => row[3]),
    ...(rows[0]?.[4] !== undefined && {
      samples: Uint32Array.from(rows, (row) => row[4]!),
      deviations: Float32Array.from(rows, (row) => row[5] ?? 0),
      unlike: Float32Array.from(rows, (row) => row[6] ?? 0),
    }),
    ...(pages && {
      residentPages: Float64Array.from(pages.resident),
      unseenPages: Float64Array.from(pages.unseen ?? pages.resident.map(() => 0)),
    }),
    ...(pages?.accessed && { accessedPages: Float64Array.from(pages.accessed) }),
    ...(pages?.mapped && { mappedPages: Float64Array.from(pages.mapped) }),
  };
}

export function targetOf(pid: number, comm = 'postgres'): TargetInfo {
  return { id: pid, pid, startTime: '987654', comm, cmdline: [comm] };
}

export const STATS: MonitorStats = {
  elapsedUs: 12_300_000,
  ticks: 300,
  overruns: 0,
  samples: 90_000,
  notSampled: 0,
  snapshots: 20,
  droppedSnapshots: 0,
  lostSamplers: 0,
  lostTicks: 0,
  regions: 5,
  inForce: { attrs: DEFAULT_ATTRS, reason: 'set' },
  cpuPercent: 1.31,
  recentCpuPercent: 1.24,
  usPerSample: 0.8,
  meanLateUs: 310,
  maxLateUs: 2_100,
  threads: [],
};

/** What differs from a settled snapshot of process 4242. */
export interface SnapshotParts extends Partial<Omit<SnapshotHeader, 'stats'>> {
  readonly rows: readonly RegionRow[];
  readonly pid?: number;
  readonly comm?: string;
  readonly overruns?: number;
  readonly reason?: AttrsReason;
  readonly stats?: Partial<MonitorStats>;
  readonly memory?: RegionPages;
}

/** A snapshot of 20 sampling intervals of 5 ms, on pages of 4 KiB; of one look if accesses are counted by mapping. */
export function snapshotOf(parts: SnapshotParts): Snapshot {
  const { rows, pid, comm, overruns = 0, reason = 'set', stats, memory, ...header } = parts;
  const { endUs = 12_300_000 } = header;
  return new Snapshot(
    {
      target: targetOf(pid ?? 4242, comm),
      check: 'idle-page',
      pageSize: PAGE,
      startUs: endUs - 100_000,
      endUs,
      maxNrAccesses: memory?.accessed ? 1 : 20,
      stats: {
        ...STATS,
        elapsedUs: endUs,
        regions: rows.length,
        overruns,
        inForce: { attrs: DEFAULT_ATTRS, reason },
        ...stats,
      },
      ...header,
    },
    columnsFrom(rows, memory),
  );
}

/** Heap, libraries and stack of a process with 8 MiB, 16 MiB and 136 KiB in them. */
export const THREE_RANGES: readonly RegionRow[] = [
  [0x55d0c0a00, 0x55d0c0e00, 20, 600],
  [0x55d0c0e00, 0x55d0c1200, 0, 600],
  [0x7f12a0000, 0x7f12a0800, 5, 12],
  [0x7f12a0800, 0x7f12a1000, 0, 3],
  [0x7ffd12340, 0x7ffd12362, 10, 0],
];

/** Rows in address order, of 1 to 2 ** 30 pages, that touch or leave gaps. */
export const regionRows: fc.Arbitrary<RegionRow[]> = fc
  .array(
    fc.record({
      gap: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 1e6 })),
      size: fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 2 ** 30 })),
      nrAccesses: fc.integer({ min: 0, max: 20 }),
      age: fc.oneof(fc.nat(10), fc.nat(4_000_000_000)),
    }),
    { maxLength: 40 },
  )
  .map((parts) => {
    let page = 0x1000;
    return parts.map(({ gap, size, nrAccesses, age }) => {
      const start = page + gap;
      page = start + size;
      return [start, page, nrAccesses, age] as const;
    });
  });
