import { Snapshot, type SnapshotColumns } from '../core/snapshot.js';
import type { AttrsReason, MonitorStats } from '../core/stats.js';
import type { TargetInfo } from '../core/target.js';
import type { HeaderLine, RecordedRegion, SnapshotLine } from './format.js';

/**
 * A recorded snapshot as it was when it was live, so that reports need not know where one comes from. Of its statistics
 * it has what its line says (`cost`); the other counts, which the end line has, are 0, null or empty.
 *
 * @param header the record's first line; with the attrs and the reason of an `attrs` line, where there was one since
 * @param target what the target line with the id `line.target` said
 */
export function snapshotOfLine(
  line: SnapshotLine,
  header: Pick<HeaderLine, 'check' | 'pageSize' | 'attrs'> & { readonly reason?: AttrsReason },
  target: TargetInfo,
): Snapshot {
  const { check, pageSize, attrs, reason = 'set' } = header;
  const { id, pid, startTime, comm, cmdline } = target;
  const { startUs, endUs, maxNrAccesses } = line;
  return new Snapshot(
    {
      target: { id, pid, startTime, comm, cmdline },
      check,
      pageSize,
      startUs,
      endUs,
      maxNrAccesses,
      stats: { ...statsOfLine(line), inForce: { attrs, reason } },
    },
    columnsOf(line.regions, pageSize),
  );
}

function columnsOf(regions: readonly RecordedRegion[], pageSize: number): SnapshotColumns {
  return {
    startPages: Float64Array.from(regions, ([start]) => Number.parseInt(start, 16) / pageSize),
    endPages: Float64Array.from(regions, ([, end]) => Number.parseInt(end, 16) / pageSize),
    nrAccesses: Uint32Array.from(regions, ([, , nrAccesses]) => nrAccesses),
    ages: Uint32Array.from(regions, ([, , , age]) => age),
  };
}

function statsOfLine({ cost, endUs }: SnapshotLine): Omit<MonitorStats, 'inForce'> {
  return {
    elapsedUs: endUs,
    ticks: cost?.ticks ?? 0,
    overruns: cost?.overruns ?? 0,
    samples: 0,
    notSampled: 0,
    snapshots: 0,
    droppedSnapshots: cost?.droppedSnapshots ?? 0,
    lostSamplers: cost?.lostSamplers ?? 0,
    lostTicks: cost?.lostTicks ?? 0,
    regions: 0,
    cpuPercent: cost?.cpuPercent ?? null,
    recentCpuPercent: null,
    usPerSample: null,
    meanLateUs: null,
    maxLateUs: null,
    threads: [],
  };
}
