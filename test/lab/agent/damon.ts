import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { DEFAULT_ATTRS } from '../../../src/index.js';
import type { RecordedRegion, SnapshotLine } from '../../../src/record/format.js';
import type { WatchCost } from '../machine/protocol.js';

// The kernel's own DAMON (Documentation/admin-guide/mm/damon/usage.rst), for comparison. In the guest alone: on a machine
// that others use its files are theirs.

const ADMIN = '/sys/kernel/mm/damon/admin/kdamonds';
const TRACE = '/sys/kernel/tracing';
const { sampleUs, aggrUs, updateUs, minRegions, maxRegions } = DEFAULT_ATTRS;
const TICKS = aggrUs / sampleUs;

/** Watches a process at 5 ms and 100 ms and limits; times of the snapshots are CLOCK_MONOTONIC, in microseconds. */
export async function watchWithDamon(
  pid: number,
  seconds: number,
): Promise<{ snapshots: SnapshotLine[]; cost: WatchCost }> {
  if (process.env.IN_LAB !== '1') throw new Error('DAMON may be touched in the lab only');
  configure(pid);
  setFile(`${TRACE}/buffer_size_kb`, 16_384);
  setFile(`${TRACE}/trace_clock`, 'mono');
  setFile(`${TRACE}/trace`, '');
  setFile(`${TRACE}/events/damon/damon_aggregated/enable`, 1);
  setFile(`${ADMIN}/0/state`, 'on');
  const kdamond = readFileSync(`${ADMIN}/0/pid`, 'utf8').trim();
  const cpuUs = () => Number(readFileSync(`/proc/${kdamond}/schedstat`, 'utf8').split(' ')[0]) / 1e3;
  const [startedUs, startedMs] = [cpuUs(), performance.now()];
  await pause(seconds * 1_000);
  const [spentUs, elapsedUs] = [cpuUs() - startedUs, (performance.now() - startedMs) * 1e3];
  setFile(`${TRACE}/events/damon/damon_aggregated/enable`, 0);
  setFile(`${ADMIN}/0/state`, 'off');
  const snapshots = snapshotsOf(readFileSync(`${TRACE}/trace`, 'utf8'));
  const samples = snapshots.reduce((sum, { regions }) => sum + piecesOf(regions) * TICKS, 0);
  const cost = {
    seconds: elapsedUs / 1e6,
    cpuPercent: (100 * spentUs) / elapsedUs,
    samples,
    usPerSample: spentUs / samples,
    // It makes all its ticks, later.
    ticksMade: 1,
  };
  return { snapshots, cost };
}

/** What is told are merged regions; sampled were the two pieces each of them was split into before, as far as it could. */
function piecesOf(regions: readonly RecordedRegion[]): number {
  const pages = ([start, end]: RecordedRegion) =>
    (Number.parseInt(end, 16) - Number.parseInt(start, 16)) / 4_096;
  return regions.reduce((sum, region) => sum + (pages(region) > 2 ? 2 : 1), 0);
}

function configure(pid: number): void {
  const context = `${ADMIN}/0/contexts/0`;
  if (!existsSync(`${ADMIN}/0`)) setFile(`${ADMIN}/nr_kdamonds`, 1);
  setFile(`${ADMIN}/0/contexts/nr_contexts`, 1);
  setFile(`${context}/operations`, 'vaddr');
  setFile(`${context}/monitoring_attrs/intervals/sample_us`, sampleUs);
  setFile(`${context}/monitoring_attrs/intervals/aggr_us`, aggrUs);
  setFile(`${context}/monitoring_attrs/intervals/update_us`, updateUs);
  setFile(`${context}/monitoring_attrs/nr_regions/max`, maxRegions);
  setFile(`${context}/monitoring_attrs/nr_regions/min`, minRegions);
  setFile(`${context}/targets/nr_targets`, 1);
  setFile(`${context}/targets/0/pid_target`, pid);
}

/** One event a region; the last of a snapshot is the one that makes as many as it says there are. */
const EVENT = / (\d+\.\d+): damon_aggregated: target_id=\d+ nr_regions=(\d+) (\d+)-(\d+): (\d+) (\d+)/g;

function snapshotsOf(trace: string): SnapshotLine[] {
  const snapshots: SnapshotLine[] = [];
  let regions: RecordedRegion[] = [];
  let lastEndUs = 0;
  for (const [, seconds, count, start, end, nrAccesses, age] of trace.matchAll(EVENT)) {
    regions.push([BigInt(start!).toString(16), BigInt(end!).toString(16), Number(nrAccesses), Number(age)]);
    if (regions.length < Number(count)) continue;
    const endUs = Number(seconds) * 1e6;
    const startUs = lastEndUs || endUs - aggrUs;
    snapshots.push({ type: 'snapshot', target: 0, startUs, endUs, maxNrAccesses: TICKS, regions });
    lastEndUs = endUs;
    regions = [];
  }
  return snapshots;
}

function setFile(path: string, value: string | number): void {
  writeFileSync(path, String(value));
}
