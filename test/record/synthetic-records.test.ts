import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { type AdaptationName, Monitor, type MonitorOptions, type SyntheticSpec } from '../../src/index.js';
import { Recording } from '../../src/record/recording.js';
import { fixture, folderFor } from '../helpers/fixtures.js';
import { HEADER, NO_MAPPINGS } from '../helpers/records.js';
import { MIB } from '../helpers/synthetic.js';

const SEEDS = 20;
const EXPECTED = new Map(
  readFileSync(fixture('synthetic-records.txt'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.split(': ') as [run: string, sha256: string]),
);

/**
 * One to three address spaces that differ by seed: hot, warm and cold ranges, of which some move and some mappings come and
 * go. Every third seed tunes its intervals, and of the others every second limits its samples.
 */
function optionsFor(seed: number, adaptation: AdaptationName): MonitorOptions {
  const limit = adaptation === 'evidence' && seed % 2 === 0 ? { maxSamplesPerSecond: 2_000 } : {};
  return {
    targets: Array.from({ length: 1 + (seed % 3) }, (_, i) => ({ synthetic: spaceFor(seed + 100 * i) })),
    ...(seed % 3 === 0
      ? { auto: true }
      : { attrs: { sampleUs: 5_000, aggrUs: 100_000, maxRegions: 100 + 20 * seed, ...limit } }),
    adaptation,
    clock: 'virtual',
    seed,
    durationUs: 6e6,
    ...(seed % 4 === 0 && { workers: 1 }),
  };
}

function spaceFor(number: number): SyntheticSpec {
  const heap = { startAddress: 0x1000_0000, sizeBytes: (32 + 8 * (number % 7)) * MIB };
  const area = { startAddress: 0x7000_0000_0000, sizeBytes: (64 + 16 * (number % 5)) * MIB };
  const stack = { startAddress: 0x7fff_0000_0000, sizeBytes: MIB };
  const later = { startAddress: area.startAddress + area.sizeBytes, sizeBytes: (1 + (number % 3)) * 4 * MIB };
  const hot = (mib: number, share: number) => ({
    startAddress: area.startAddress + mib * MIB,
    sizeBytes: (2 + (number % 4)) * MIB,
    share,
  });
  return {
    name: `space ${number}`,
    phases: [
      {
        lastsUs: 2.5e6,
        mappings: [heap, area, stack],
        accesses: [hot(8, 1), hot(20, 0.3), { ...stack, share: 1 }],
      },
      {
        lastsUs: 2e6,
        mappings: [heap, area, later, stack],
        accesses: [hot(40, 1), { ...heap, share: 0.05 }],
      },
    ],
    ...(number % 10 === 4 && { endsUs: 4e6 }),
  };
}

for (const adaptation of ['damon', 'evidence'] as const) {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const run = `${adaptation} ${seed}`;
    test.serial(`a synthetic run records the same bytes as ever: ${run}`, async (t) => {
      const path = join(folderFor(t), 'it.ndjson');
      const monitor = await Monitor.start(optionsFor(seed, adaptation));
      const recording = Recording.create(path, {});
      monitor.on('attrs', (change) => recording.attrs(change));
      await recording.begin({ ...HEADER, pageSize: 4096, attrs: monitor.attrs }, NO_MAPPINGS);
      for await (const snapshot of monitor) await recording.snapshot(snapshot);
      const { reason, stats } = await monitor.ended;
      await recording.end(reason, stats);
      const sha256 = createHash('sha256').update(readFileSync(path)).digest('hex');
      t.is(`${run}: ${sha256}`, `${run}: ${EXPECTED.get(run)}`);
    });
  }
}
