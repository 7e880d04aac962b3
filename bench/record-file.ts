import { closeSync, openSync, writeSync } from 'node:fs';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { DEFAULT_ATTRS } from '../src/core/attrs.js';
import { RandomStreams, randomFrom } from '../src/core/random.js';
import { Snapshot } from '../src/core/snapshot.js';
import { emptyColumns } from '../src/core/snapshot-columns.js';
import type { MonitorStats } from '../src/core/stats.js';
import { endLine, headerLine, mappingsLine, snapshotLine, targetLine } from '../src/record/format.js';

const PAGE = 4_096;
const BEGIN_PAGE = 0x7f12a0000;
/** Mappings of each target; one of them changes once a second. */
const MAPPINGS = 40;
const MAPPING_PAGES = 2 ** 15;
/** Different snapshots of a target; then the same regions repeat with other times. */
const DIFFERENT = 64;
const AGGR_US = 100_000;

const STATS: MonitorStats = {
  elapsedUs: 0,
  ticks: 20,
  overruns: 0,
  meanLateUs: null,
  maxLateUs: null,
  samples: 0,
  notSampled: 0,
  snapshots: 0,
  droppedSnapshots: 0,
  lostSamplers: 0,
  lostTicks: 0,
  regions: 0,
  inForce: { attrs: DEFAULT_ATTRS, reason: 'set' },
  cpuPercent: 1.234,
  recentCpuPercent: null,
  usPerSample: null,
  threads: [],
};

/**
 * Writes a record of about this size; the same arguments give the same record.
 *
 * @param regionsOfTargets number of regions in a snapshot, for each target
 */
export function writeLargeRecord(path: string, bytes: number, regionsOfTargets: readonly number[]): void {
  const random = randomFrom(new RandomStreams(7).next());
  const targets = regionsOfTargets.map((regions, id) => ({
    id,
    info: targetInfo(id),
    regions: regionsOf(id, regions, random),
  }));
  const file = openSync(path, 'w', 0o600);
  let written = 0;
  const write = (lines: string[]) => {
    written += writeSync(file, `${lines.join('\n')}\n`);
  };
  write([
    headerLine({
      tool: 'bench',
      startedAt: '2026-01-31T12:00:00.000Z',
      startedMonotonicNs: '0',
      kernel: '6.12.1',
      pageSize: PAGE,
      check: 'idle-page',
      attrs: DEFAULT_ATTRS,
    }),
    ...targets.map(({ info }) =>
      targetLine(info, {
        mappings: Array.from({ length: MAPPINGS }, (_, i) => mapping(i, MAPPING_PAGES - 1)),
        residentBytes: 2 ** 30,
      }),
    ),
  ]);
  for (let round = 0; written < bytes; round++) {
    const times = `"startUs":${round * AGGR_US},"endUs":${(round + 1) * AGGR_US}`;
    write(targets.map(({ regions }) => regions[round % DIFFERENT]!.join(times)));
    if (round % 10 === 9)
      write(
        targets.map(({ info }) =>
          mappingsLine(info, (round + 1) * AGGR_US, {
            mappings: [mapping(MAPPINGS, round % MAPPING_PAGES)],
            residentBytes: round * PAGE,
          }),
        ),
      );
  }
  write([endLine('stopped', STATS)]);
  closeSync(file);
}

function targetInfo(id: number) {
  return { id, pid: 4242 + id, startTime: '987654', comm: 'postgres', cmdline: ['postgres', '-D', 'data'] };
}

/** The i-th of a target's mappings. */
function mapping(i: number, pages: number) {
  const page = BEGIN_PAGE + i * MAPPING_PAGES;
  const [start, end] = [page, page + pages].map((at) => (at * PAGE).toString(16)) as [string, string];
  return [start, end, 'rw-p', i === 0 ? '[heap]' : `/usr/lib/libnumber${i}.so`] as const;
}

/** Each line in two parts, with its times to go between them. */
function regionsOf(id: number, regions: number, random: RandomGenerator): [string, string][] {
  const upTo = (end: number) => (random.next() >>> 0) % end;
  return Array.from({ length: DIFFERENT }, () => {
    const columns = emptyColumns(regions);
    let page = BEGIN_PAGE;
    for (let i = 0; i < regions; i++) {
      columns.startPages[i] = page;
      page += 1 + upTo(2_000);
      columns.endPages[i] = page;
      columns.nrAccesses[i] = upTo(3) === 0 ? upTo(21) : 0;
      columns.ages[i] = upTo(2_000);
    }
    const line = snapshotLine(
      new Snapshot(
        {
          target: targetInfo(id),
          check: 'idle-page',
          pageSize: PAGE,
          startUs: 0,
          endUs: 1,
          maxNrAccesses: 20,
          stats: STATS,
        },
        columns,
      ),
    );
    return line.split('"startUs":0,"endUs":1') as [string, string];
  });
}
