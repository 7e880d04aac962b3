import { DEFAULT_ATTRS } from '../src/core/attrs.js';
import type { RecordLine } from '../src/record/format.js';
import { headerOf, snapshotLineOf, targetOf } from '../test/helpers/records.js';

/** A small record with every type of line and every field. The same bytes make the same mutants, so keep it as it is. */
export const RECORD: readonly RecordLine[] = [
  headerOf({ seed: 7 }),
  targetOf({
    comm: 'a "b",\nc',
    mappings: [
      ['55d0c0a00000', '55d0c0a21000', 'rw-p', '[heap]'],
      ['7f12a0000000', '7f12b0000000', 'r--p', '/lib/libc.so.6'],
    ],
    residentBytes: 98_304,
    resident: [['55d0c0a00000', 65_536]],
  }),
  targetOf({ id: 7, pid: 4_243, startTime: '987655', comm: 'other', cmdline: [] }),
  snapshotLineOf(
    [
      ['55d0c0a00000', '55d0c0a21000', 20, 3, 300, 2.5],
      ['7f12a0000000', '7f12b0000000', 0, 17, 200],
    ],
    {
      residentBytes: 98_304,
      memory: { resident: [65_536, 32_768], unseen: [0, 4_096] },
      settling: true,
      cost: { cpuPercent: 1.2, ticks: 20 },
    },
  ),
  snapshotLineOf(
    [
      ['1000', '5000', 5, 3],
      ['ffffffff00001000', 'ffffffffffffe000', 0, 17],
    ],
    { target: 7, endUs: 100_120.5, memory: { resident: [4_096, 0], accessed: [4_096, 0] } },
  ),
  {
    type: 'mappings',
    target: 0,
    atUs: 100_130,
    removed: ['7f12a0000000'],
    mappings: [['55d0c0a00000', '55d0c0a42000', 'rw-p', '[heap]']],
    residentBytes: 131_072,
  },
  { type: 'attrs', atUs: 200_120, attrs: { ...DEFAULT_ATTRS, sampleUs: 10_000 }, reason: 'budget', turns: 4 },
  snapshotLineOf([], { target: 7, startUs: 100_121, endUs: 200_120, maxNrAccesses: 10 }),
  snapshotLineOf([['55d0c0a00000', '55d0c0a42000', 1, 0]], {
    startUs: 100_120,
    endUs: 300_120,
    maxNrAccesses: 10,
  }),
  { type: 'end', reason: 'stopped', stats: { ticks: 200, cpuPercent: 1.2 } },
];

// Excerpts of /proc files, as kernels write them.

export const STAT = [
  '4242 (a) b (c) S 1 4242 4242 0 -1 4194560 1092 0 0 0 3 1 0 0 20 0 1 0 987654 8966144 1312 18446744073709551615 ' +
    '94355073269760 94355073404928 140728 0 0 0 0 0 0 0 0 0 17 3 0 0 0 0 0 94355073 943550 943551 140 141 142 143 0\n',
];

export const MAPS = [
  `55d0c0a00000-55d0c0a21000 rw-p 00000000 00:00 0                          [heap]
7f12a0000000-7f12b0000000 r--p 00000000 08:01 1234567                    /lib/x86_64-linux-gnu/libc.so.6
7f12c0000000-7f12c0004000 ---p 00000000 00:00 0
7f12c0004000-7f12c0008000 rw-s 00000000 00:01 99                         /dev/zero (deleted)
7ffc00000000-7ffc00021000 rw-p 00000000 00:00 0                          [stack]
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
`,
];

export const SMAPS = [
  `55d0c0a00000-55d0c0a21000 rw-p 00000000 00:00 0                          [heap]
Size:                132 kB
KernelPageSize:        4 kB
Rss:                  96 kB
Pss:                  96 kB
Shared_Clean:          0 kB
Referenced:           64 kB
Shared_Hugetlb:     2048 kB
Private_Hugetlb:    4096 kB
VmFlags: rd wr mr mw me ac sd
7f12a0000000-7f12b0000000 r--p 00000000 08:01 1234567                    /lib/libc.so.6
Rss:                1000 kB
Referenced:            0 kB
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
Rss:                   4 kB
`,
];

export const ROLLUP = [
  `55d0c0a00000-7ffc00021000 ---p 00000000 00:00 0                          [rollup]
Rss:                1132 kB
Pss:                 500 kB
Shared_Clean:        900 kB
Shared_Dirty:          4 kB
Shared_Hugetlb:        0 kB
Private_Hugetlb:    2048 kB
`,
];

export const CGROUP = [
  '0::/system.slice/docker-0123456789abcdef.scope\n',
  '12:memory:/user.slice\n11:cpu,cpuacct:/\n1:name=systemd:/user.slice/user-0.slice\n',
];

export const ZONEINFO = [
  `Node 0, zone      DMA
  pages free     3840
        spanned  4095
        present  3998
  start_pfn:           1
Node 0, zone   Device
        spanned  0
  start_pfn:           0
Node 1, zone   Normal
        spanned  1048576
  start_pfn:           1048576
`,
];
