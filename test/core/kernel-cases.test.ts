import test from 'ava';
import { completeAttrs } from '../../src/core/attrs.js';
import { rescale } from '../../src/core/cycle.js';
import { mergeRegions, splitRegions } from '../../src/core/damon-adaptation.js';
import { RandomStreams, randomFrom } from '../../src/core/random.js';
import { splitEvenly, threeRanges, updateRegions } from '../../src/core/regions.js';
import { type Row, spans, tableOf, union } from '../helpers/tables.js';

// The numbers of the unit tests that the kernel publishes for DAMON (mm/damon/tests).

const random = () => randomFrom(new RandomStreams(42).next());

test('three ranges leave out the two largest gaps', (t) => {
  const mapped = Float64Array.of(10, 25, 200, 220, 300, 305, 307, 330);
  t.deepEqual([...threeRanges(mapped)], [10, 25, 200, 220, 300, 330]);
});

const THREE: readonly Row[] = [
  [10, 20],
  [20, 30],
  [50, 55],
  [55, 57],
  [57, 59],
  [70, 80],
  [80, 90],
  [90, 100],
];

const updated = (rows: readonly Row[], ranges: readonly [number, number][]) => {
  const table = tableOf(rows, ranges);
  updateRegions(table);
  return spans(table);
};

test('regions follow ranges that changed a little', (t) => {
  t.deepEqual(
    updated(THREE, [
      [5, 27],
      [45, 55],
      [73, 104],
    ]),
    [
      [5, 20],
      [20, 27],
      [45, 55],
      [73, 80],
      [80, 90],
      [90, 104],
    ],
  );
});

test('regions follow a middle range that shrank into one of them', (t) => {
  t.deepEqual(
    updated(THREE, [
      [5, 27],
      [56, 57],
      [65, 104],
    ]),
    [
      [5, 20],
      [20, 27],
      [56, 57],
      [65, 80],
      [80, 90],
      [90, 104],
    ],
  );
});

test('a new range gets a region of its own', (t) => {
  t.deepEqual(
    updated(THREE, [
      [5, 27],
      [61, 63],
      [65, 104],
    ]),
    [
      [5, 20],
      [20, 27],
      [61, 63],
      [65, 80],
      [80, 90],
      [90, 104],
    ],
  );
});

test('ranges that all moved away get regions of their own', (t) => {
  t.deepEqual(
    updated(THREE, [
      [5, 7],
      [30, 32],
      [65, 68],
    ]),
    [
      [5, 7],
      [30, 32],
      [65, 68],
    ],
  );
});

test('an empty table gets regions', (t) => {
  t.deepEqual(
    updated(
      [],
      [
        [5, 15],
        [15, 25],
      ],
    ),
    [
      [5, 15],
      [15, 25],
    ],
  );
});

test('regions outside the only range are dropped', (t) => {
  t.deepEqual(
    updated(
      [
        [4, 16],
        [24, 32],
      ],
      [[18, 23]],
    ),
    [[18, 23]],
  );
});

test('a hole between two regions of a range is filled', (t) => {
  t.deepEqual(
    updated(
      [
        [4, 16],
        [24, 32],
      ],
      [[8, 28]],
    ),
    [
      [8, 16],
      [16, 24],
      [24, 28],
    ],
  );
});

test('a range grows and another one appears', (t) => {
  t.deepEqual(
    updated(
      [
        [0, 4],
        [4, 17],
      ],
      [
        [0, 15],
        [25, 40],
      ],
    ),
    [
      [0, 4],
      [4, 15],
      [25, 40],
    ],
  );
});

for (const [start, end, pieces, expected] of [
  [0, 100, 10, Array.from({ length: 10 }, (_, i) => [10 * i, 10 * i + 10])],
  [
    5,
    59,
    5,
    [
      [5, 15],
      [15, 25],
      [25, 35],
      [35, 45],
      [45, 59],
    ],
  ],
  [4, 6, 1, [[4, 6]]],
  [
    0,
    3,
    2,
    [
      [0, 1],
      [1, 3],
    ],
  ],
] as const) {
  test(`${start}-${end} is split evenly in ${pieces}, the last piece taking the rest`, (t) => {
    const table = tableOf([]);
    table.count = splitEvenly(table, 0, start, end, pieces);
    t.deepEqual(spans(table), expected as unknown as [number, number][]);
  });
}

test('both parts of a split region inherit its counts and age', (t) => {
  const table = tableOf([[0, 100, 42, 10, 15]]);
  splitRegions(table, 2, random());
  t.is(table.count, 2);
  t.deepEqual([...table.nrAccesses.subarray(0, 2)], [42, 42]);
  t.deepEqual([...table.lastNrAccesses.subarray(0, 2)], [15, 15]);
  t.deepEqual([...table.age.subarray(0, 2)], [10, 10]);
});

test('merged regions have the means, weighted by size and rounded down', (t) => {
  const table = tableOf([
    [0, 100, 10, 9],
    [100, 300, 20, 21],
  ]);
  mergeRegions(table, 10, 1_000);
  t.deepEqual(spans(table), [[0, 300]]);
  t.is(table.nrAccesses[0], 16); // (10 * 100 + 20 * 200) / 300 = 16.67
  t.is(table.age[0], 17);
});

test('similar touching regions merge, up to the size limit', (t) => {
  const starts = [0, 100, 114, 122, 130, 156, 170, 184, 230];
  const ends = [100, 112, 122, 130, 156, 170, 184, 230, 10170];
  const nrAccesses = [0, 0, 10, 10, 20, 30, 1, 2, 5];
  const table = tableOf(starts.map((start, i) => [start, ends[i]!, nrAccesses[i]!]));
  mergeRegions(table, 9, 9_999);
  t.deepEqual(spans(table), [
    [0, 112],
    [114, 130],
    [130, 156],
    [156, 170],
    [170, 230],
    [230, 10170],
  ]);
});

test('a region splits into no more pieces than asked for', (t) => {
  for (const [end, pieces] of [
    [22, 2],
    [220, 4],
  ] as const) {
    for (let seed = 0; seed < 100; seed++) {
      const table = tableOf([[0, end]]);
      splitRegions(table, Math.min(3, pieces), randomFrom(new RandomStreams(seed).next()));
      t.true(table.count >= 1 && table.count <= pieces, `seed ${seed}`);
      t.deepEqual(union(table), [[0, end]]);
    }
  }
});

for (const [from, to, nrAccesses, age] of [
  // 15 of 100 stays 15 of 100; 20 intervals of 1 ms are 2 of 10 ms.
  [[10, 1_000], [100, 10_000], 15, 2],
  // 15 of 100 is 150 of 1,000; the interval stays.
  [[10, 1_000], [1, 1_000], 150, 20],
  // 15 of 100 stays 15 of 100; 20 intervals of 1 ms are 200 of 0.1 ms.
  [[10, 1_000], [1, 100], 15, 200],
] as const) {
  test(`counts and ages of ${from} us are rescaled to ${to} us`, (t) => {
    const attrs = ([sampleUs, aggrUs]: readonly [number, number]) => completeAttrs({ sampleUs, aggrUs });
    const table = tableOf([[0, 10, 15, 20, 15]]);
    rescale(table, attrs(from), attrs(to));
    t.deepEqual([table.nrAccesses[0], table.lastNrAccesses[0], table.age[0]], [nrAccesses, nrAccesses, age]);
  });
}
