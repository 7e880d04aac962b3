import test from 'ava';
import { count, prepare } from '../../src/core/cycle.js';
import { RandomStreams, randomFrom } from '../../src/core/random.js';
import { RegionTable } from '../../src/core/region-table.js';
import { initRegions } from '../../src/core/regions.js';
import { Samples } from '../../src/core/sampling.js';
import { TargetStatus } from '../../src/core/table-header.js';
import { pageSize } from '../../src/kernel/page-size.js';
import { SyntheticCheck } from '../../src/sources/synthetic/check.js';
import type { SyntheticSpec } from '../../src/sources/synthetic/spec.js';

const MIB = 2 ** 20;
const SPEC: SyntheticSpec = {
  phases: [
    {
      lastsUs: 1_000,
      mappings: [{ startAddress: 0, sizeBytes: 8 * MIB }],
      accesses: [
        { startAddress: 2 * MIB, sizeBytes: MIB, share: 1 },
        { startAddress: 0, sizeBytes: 8 * MIB, share: 0.25 },
      ],
    },
    { lastsUs: 1_000, mappings: [{ startAddress: 64 * MIB, sizeBytes: 8 * MIB }], accesses: [] },
  ],
  endsUs: 10_000,
};

function opened(spec: SyntheticSpec, bytesPerPage = pageSize()) {
  const random = randomFrom(new RandomStreams(3).next());
  const check = new SyntheticCheck(spec, random, bytesPerPage);
  const table = RegionTable.forLimits(8, 100);
  table.setRanges(check.readSpace(0).ranges);
  initRegions(table, 8);
  return { check, table, target: { samples: new Samples(table), check, random, salt: 0 } };
}

test('pages are accessed at the rate of the first range that contains them', (t) => {
  const { table, target } = opened(SPEC);
  const TICKS = 2_000;
  table.maxNrAccesses = TICKS;
  for (let tick = 0; tick < TICKS; tick++) {
    prepare(target, 10);
    t.is(count(target, 10), 0, 'each page has an answer');
  }
  t.is(table.count, 8);
  for (let i = 0; i < 8; i++) {
    const share = table.nrAccesses[i]! / TICKS;
    if (i === 2) t.is(share, 1);
    else t.true(Math.abs(share - 0.25) < 0.04, `region ${i}: ${share}`);
  }
});

test('phases follow each other and start again, with mappings of their own', (t) => {
  const { check } = opened(SPEC);
  const startAt = (nowUs: number) => check.readSpace(nowUs).ranges[0]! * pageSize();
  t.deepEqual([0, 999, 1_000, 1_999, 2_000].map(startAt), [0, 0, 64 * MIB, 64 * MIB, 0]);
});

test('its end is reported like that of a process', (t) => {
  const { check, table, target } = opened(SPEC);
  prepare(target, 10_000);
  t.is(table.status, TargetStatus.STALE);
  t.is(check.readSpace(10_000).status, TargetStatus.GONE);
});

for (const bytesPerPage of [4_096, 16_384, 65_536]) {
  test(`with pages of ${bytesPerPage} bytes, addresses are exact far above 2^53`, (t) => {
    const startAddress = 2 ** 57 - 2 ** 30;
    const mappings = [{ startAddress, sizeBytes: 2 ** 20 }];
    const { table } = opened({ phases: [{ lastsUs: 1, mappings, accesses: [] }] }, bytesPerPage);
    t.deepEqual(
      [...table.ranges.slice(0, 2)],
      [startAddress / bytesPerPage, startAddress / bytesPerPage + 2 ** 20 / bytesPerPage],
    );
    const half = [{ startAddress, sizeBytes: bytesPerPage / 2 }];
    t.throws(() => opened({ phases: [{ lastsUs: 1, mappings: half, accesses: [] }] }, bytesPerPage), {
      message: new RegExp(`whole pages of ${bytesPerPage} bytes`),
    });
  });
}

for (const [flaw, phases] of Object.entries({
  'no mappings': [{ lastsUs: 1, accesses: [] }],
  'a share above 1': [
    {
      lastsUs: 1,
      mappings: [{ startAddress: 0, sizeBytes: 4096 }],
      accesses: [{ startAddress: 0, sizeBytes: 4096, share: 2 }],
    },
  ],
  'half a page': [{ lastsUs: 1, mappings: [{ startAddress: 0, sizeBytes: 2048 }], accesses: [] }],
  'mappings out of order': [
    {
      lastsUs: 1,
      mappings: [
        { startAddress: 8192, sizeBytes: 4096 },
        { startAddress: 0, sizeBytes: 4096 },
      ],
      accesses: [],
    },
  ],
  'no duration': [{ lastsUs: 0, mappings: [{ startAddress: 0, sizeBytes: 4096 }], accesses: [] }],
})) {
  test(`a script with ${flaw} is rejected`, (t) => {
    const spec = { phases } as unknown as SyntheticSpec;
    t.like(
      t.throws(() => opened(spec)),
      { code: 'ATTRS' },
    );
  });
}
