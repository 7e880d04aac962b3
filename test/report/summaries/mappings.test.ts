import test from 'ava';
import { groupNameOf, kindOf, nameOfRange } from '../../../src/report/region-mappings.js';
import { MappingsSummary } from '../../../src/report/summaries/mappings.js';
import { PAGE, snapshotOf } from '../../helpers/snapshots.js';
import { BY_HAND, POSTGRES, processOf, reportOn } from './recordings.js';

const pages = (bytes: number | null) => (bytes === null ? null : bytes / PAGE);

test('regions are divided among the mappings they span; what lies between counts in none', async (t) => {
  const { all, processes } = await reportOn(t, BY_HAND, new MappingsSummary());
  t.deepEqual(
    all.mappings.map(({ name, kind, sizeBytes, residentBytes, hotBytes, warmBytes, coldBytes }) => [
      name,
      kind,
      ...[sizeBytes, residentBytes, hotBytes, warmBytes, coldBytes].map(pages),
    ]),
    [
      ['heap', 'heap', 16, 16, (16 + 3 * 8) / 4, 0, (3 * 8) / 4],
      ['anonymous', 'anonymous', 16, 8, 0, 16 / 4, (3 * 16) / 4],
      ['/lib/libc.so.6', 'file', 8, 4, 0, 0, 8],
      ['reserved', 'reserved', 4, null, 0, 0, 4],
    ],
  );
  t.is(all.unmappedBytes, 16 * PAGE);
  t.deepEqual(processes[0]!.mappings, all.mappings);
});

test('where a record has mappings that overlap, nothing is unmapped, not less than that', async (t) => {
  const mappings = ['10000', '11000'].map((start) => [start, '4c000', 'rw-p', '[heap]']);
  const { all } = await reportOn(
    t,
    { ...BY_HAND, targets: [processOf(0, { mappings })] },
    new MappingsSummary(),
  );
  t.is(all.unmappedBytes, 0);
});

test('what is resident and has no room in what was accessed is cold', async (t) => {
  const { all } = await reportOn(t, BY_HAND, new MappingsSummary());
  t.deepEqual(
    all.mappings.map(({ coldResidentBytes }) => pages(coldResidentBytes)),
    [6, 8 - 4, 4, null],
  );
  t.deepEqual(
    [all.total.sizeBytes, all.total.residentBytes, all.total.coldResidentBytes].map(pages),
    [40, 28, 14],
    'without what is reserved',
  );
});

test('for how long it has been cold is told as of the end, and of what is cold then', async (t) => {
  const { all } = await reportOn(t, BY_HAND, new MappingsSummary());
  t.deepEqual(
    all.mappings.map(({ coldForUs }) => coldForUs),
    [200_000, 300_000, 60_100_000, 60_100_000],
  );
  const [hot, cold] = BY_HAND.snapshots.map(([, , regions]) => regions);
  const later = await reportOn(
    t,
    {
      snapshots: [
        [0, 100_000, cold!],
        [100_000, 200_000, hot!],
      ],
    },
    new MappingsSummary(),
  );
  t.is(later.all.mappings.find(({ name }) => name === 'heap')!.coldForUs, null);
  t.is(later.all.total.coldForUs, 60_000_000);
});

test('limits decide what is hot, warm and rare', async (t) => {
  const { all } = await reportOn(
    t,
    BY_HAND,
    new MappingsSummary({ limits: { warmShare: 0.25, hotShare: 1 } }),
  );
  const anonymous = all.mappings.find(({ name }) => name === 'anonymous')!;
  t.deepEqual([anonymous.hotBytes, anonymous.warmBytes, anonymous.rareBytes].map(pages), [0, 0, 4]);
});

test('memory that no file has is not called a deleted file, and is of a kind of its own where it is shared', (t) => {
  const names: readonly [permissions: string, maps: string, name: string, kind: string][] = [
    ['rw-s', '/dev/zero (deleted)', '[shared anonymous]', 'shared'],
    ['rw-p', '/dev/zero', 'anonymous', 'anonymous'],
    ['rw-s', '/SYSV00000000 (deleted)', '[sysv]', 'shared'],
    ['rw-s', '/SYSV0052e2c1 (deleted)', '[sysv:0052e2c1]', 'shared'],
    ['rw-s', '/memfd:wayland shm (deleted)', '[memfd:wayland shm]', 'shared'],
    ['rw-s', '/memfd:a (deleted) (deleted)', '[memfd:a (deleted)]', 'shared'],
    ['rw-s', '/dev/shm/PostgreSQL.1', '/dev/shm/PostgreSQL.1', 'shared'],
    ['rw-s', '/dev/shm/x (deleted)', '/dev/shm/x (deleted)', 'shared'],
    ['rw-s', '[anon_shmem:x]', '[anon_shmem:x]', 'shared'],
    ['rw-p', '[anon:x]', '[anon:x]', 'named'],
    ['rw-s', '/anon_hugepage (deleted)', '[anonymous hugetlb]', 'shared'],
    ['rw-p', '/anon_hugepage (deleted)', '[anonymous hugetlb]', 'anonymous'],
    ['rw-s', '/[aio] (deleted)', '[aio]', 'kernel'],
    ['rw-s', 'anon_inode:[io_uring]', '[io_uring]', 'kernel'],
    ['r--p', '/lib/old.so (deleted)', '/lib/old.so (deleted)', 'file'],
    ['r--p', '/home/SYSV00000000 (deleted)', '/home/SYSV00000000 (deleted)', 'file'],
    ['---s', '/dev/zero (deleted)', 'reserved', 'reserved'],
  ];
  for (const [permissions, maps, name, kind] of names) {
    const mapping = { startPage: 1, endPage: 2, permissions, name: maps, residentBytes: undefined };
    t.is(kindOf(mapping), kind as never, maps);
    t.is(groupNameOf(mapping, 'name', PAGE), name, maps);
    if (kind !== 'reserved') t.is(nameOfRange([mapping], 0, 2), name, maps);
  }
});

test('mappings are told by name, by kind or one by one', async (t) => {
  const recording = {
    targets: [
      processOf(0, {
        mappings: [
          ['10000', '11000', 'r--p', '/lib/a.so'],
          ['11000', '12000', 'r-xp', '/lib/a.so'],
          ['12000', '13000', 'rw-p', '[anon: cache]'],
          ['13000', '14000', 'rw-p', '/lib/b.so'],
          ['14000', '15000', 'rw-p', '[stack]'],
          ['15000', '16000', 'r-xp', '[vdso]'],
        ],
      }),
    ],
    snapshots: [[0, 100, [['10000', '16000', 20, 0]]]] as const,
  };
  const namesBy = async (by: 'name' | 'kind' | 'mapping') =>
    (await reportOn(t, recording, new MappingsSummary({ by }))).all.mappings.map(({ name }) => name);
  t.deepEqual(await namesBy('name'), ['/lib/a.so', '[anon: cache]', '/lib/b.so', 'stack', '[vdso]']);
  t.deepEqual(await namesBy('kind'), ['file', 'named', 'stack', 'kernel']);
  t.is((await namesBy('mapping'))[1], '11000 /lib/a.so');
});

test('the sum counts each process for the time it was there', async (t) => {
  const hot = ['10000', '20000', 20, 0] as const;
  const { all, processes } = await reportOn(
    t,
    {
      targets: [POSTGRES, { ...POSTGRES, id: 1, pid: 4243 }],
      snapshots: [
        [0, 100, [hot], 0],
        [100, 200, [hot], 0],
        [100, 200, [hot], 1],
      ],
    },
    new MappingsSummary(),
  );
  t.deepEqual(
    processes.map(({ mappings: [heap] }) => pages(heap!.hotBytes)),
    [16, 16],
  );
  t.is(pages(all.mappings[0]!.hotBytes), 24, 'the second one lived for half of the time');
});

test('mappings that change count for as long as they were so', (t) => {
  const grown = { startPage: 16, endPage: 48, permissions: 'rw-p', name: '[heap]', residentBytes: 32 * PAGE };
  const before = { ...grown, endPage: 32, residentBytes: 16 * PAGE };
  const report = new MappingsSummary();
  [[before], [grown], [grown], [grown]].forEach((mappings, i) => {
    const snapshot = snapshotOf({ rows: [[16, 48, 20, 0]], endUs: (i + 1) * 100_000 });
    report.add({ snapshot, mappings, residentBytes: undefined });
  });
  const [heap] = report.result().all.mappings;
  t.deepEqual([heap!.sizeBytes, heap!.residentBytes, heap!.hotBytes].map(pages), [28, 28, 28]);
});

test('where mappings come and go, each counts under its own name', (t) => {
  const mapping = (startPage: number, name: string) =>
    ({ startPage, endPage: startPage + 16, permissions: 'rw-p', name, residentBytes: undefined }) as const;
  const [low, heap, high] = [mapping(16, '/low'), mapping(32, '[heap]'), mapping(48, '/high')];
  const report = new MappingsSummary();
  [[heap, high], [low, heap, high], [high], [low, heap, high]].forEach((mappings, i) => {
    const snapshot = snapshotOf({ rows: [[16, 64, 20, 0]], endUs: (i + 1) * 100_000 });
    report.add({ snapshot, mappings, residentBytes: undefined });
  });
  const { mappings } = report.result().all;
  t.deepEqual(
    mappings.map(({ name, sizeBytes, hotBytes }) => [name, pages(sizeBytes), pages(hotBytes)]),
    [
      ['/high', 16, 16],
      ['heap', 12, 12],
      ['/low', 8, 8],
    ],
  );
});

test('without mappings there is nothing to tell, and how many snapshots that were', async (t) => {
  const result = await reportOn(t, { ...BY_HAND, targets: [processOf(0)] }, new MappingsSummary());
  t.deepEqual(result.all.mappings, []);
  t.is(result.snapshotsWithoutMappings, 2);
});
