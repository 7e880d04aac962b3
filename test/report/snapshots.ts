import fc from 'fast-check';
import { DEFAULT_ATTRS } from '../../src/core/attrs.js';
import { Snapshot } from '../../src/core/snapshot.js';
import type { SnapshotColumns } from '../../src/core/snapshot-columns.js';
import type { AttrsReason } from '../../src/core/stats.js';
import type { ProcessView } from '../../src/report/picture.js';

/** [startPage, endPage, nrAccesses, age] */
export type RegionRow = readonly [number, number, number, number];

export function columnsFrom(rows: readonly RegionRow[]) {
  return {
    startPages: Float64Array.from(rows, (row) => row[0]),
    endPages: Float64Array.from(rows, (row) => row[1]),
    nrAccesses: Uint32Array.from(rows, (row) => row[2]),
    ages: Uint32Array.from(rows, (row) => row[3]),
  };
}

export interface SnapshotParts {
  readonly rows: readonly RegionRow[];
  readonly pid?: number;
  readonly comm?: string;
  readonly endUs?: number;
  readonly overruns?: number;
  readonly reason?: AttrsReason;
  readonly residentBytes?: number;
  /** Pages of each region; accessed ones where they are counted by mapping. */
  readonly memory?: {
    readonly resident: readonly number[];
    readonly unseen?: readonly number[];
    readonly accessed?: readonly number[];
  };
}

/** The columns that only some snapshots have. */
function memoryColumns({
  resident,
  unseen,
  accessed,
}: NonNullable<SnapshotParts['memory']>): Partial<SnapshotColumns> {
  return {
    residentPages: Float64Array.from(resident),
    unseenPages: Float64Array.from(unseen ?? resident.map(() => 0)),
    ...(accessed && { accessedPages: Float64Array.from(accessed) }),
  };
}

/** A snapshot of 20 sampling intervals of 5 ms, on pages of 4 KiB. */
export function snapshotOf({
  rows,
  pid = 4242,
  comm = 'postgres',
  endUs = 12_300_000,
  overruns = 0,
  reason = 'set',
  residentBytes,
  memory,
}: SnapshotParts) {
  return new Snapshot(
    {
      target: { id: pid, pid, startTime: '987654', comm, cmdline: [comm] },
      check: 'idle-page',
      pageSize: 4096,
      startUs: endUs - 100_000,
      endUs,
      maxNrAccesses: memory?.accessed ? 1 : 20,
      residentBytes,
      stats: {
        elapsedUs: endUs,
        ticks: 300,
        overruns,
        samples: 90_000,
        notSampled: 0,
        snapshots: 20,
        droppedSnapshots: 0,
        lostSamplers: 0,
        lostTicks: 0,
        regions: rows.length,
        inForce: { attrs: DEFAULT_ATTRS, reason },
        cpuPercent: 1.31,
        recentCpuPercent: 1.24,
        usPerSample: 0.8,
        meanLateUs: 310,
        maxLateUs: 2_100,
        threads: [],
      },
    },
    { ...columnsFrom(rows), ...(memory && memoryColumns(memory)) },
  );
}

export function viewOf(parts: SnapshotParts, rest: Partial<ProcessView> = {}): ProcessView {
  const snapshot = snapshotOf(parts);
  return {
    target: snapshot.target,
    snapshot,
    residentBytes: 512 * 2 ** 20,
    mappings: [],
    hasEnded: false,
    ...rest,
  };
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
