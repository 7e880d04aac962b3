import assert from 'node:assert/strict';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { countRegions } from '../../src/core/adaptation.js';
import { DamonAdaptation } from '../../src/core/damon-adaptation.js';
import { RandomStreams, randomFrom } from '../../src/core/random.js';
import { RegionTable } from '../../src/core/region-table.js';
import { initRegions, threeRanges, updateRegions } from '../../src/core/regions.js';
import { pickSamples } from '../../src/core/sampling.js';
import { flawOf, spans, union } from '../helpers/tables.js';

/** Up to three ranges that do not touch, of one page up to terabytes. */
const ranges = fc
  .array(
    fc.tuple(
      fc.integer({ min: 1, max: 2 ** 20 }),
      fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 2 ** 34 })),
    ),
    {
      minLength: 1,
      maxLength: 3,
    },
  )
  .map((gaps) => {
    let at = 0;
    return gaps.map(([gap, size]): [number, number] => {
      const start = at + gap;
      at = start + size;
      return [start, at];
    });
  });
const limits = fc
  .tuple(fc.integer({ min: 3, max: 50 }), fc.integer({ min: 0, max: 300 }))
  .map(([minRegions, more]) => ({ minRegions, maxRegions: minRegions + more, maxNrAccesses: 20 }));
const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 });

/** Fails with fast-check's report: the smallest counterexample, and the seed that repeats it. */
function holds<T>(
  t: ExecutionContext,
  property: fc.IRawProperty<T>,
  parameters: fc.Parameters<T> = {},
): void {
  t.notThrows(() => fc.assert(property, parameters));
}

function started(
  itsRanges: readonly (readonly [number, number])[],
  minRegions: number,
  maxRegions: number,
): RegionTable {
  const table = RegionTable.forLimits(minRegions, maxRegions);
  table.setRanges(Float64Array.from(itsRanges.flat()));
  initRegions(table, minRegions);
  return table;
}

/** Joins ranges that touch: they are one run of regions. */
const runsOf = (itsRanges: readonly (readonly [number, number])[]) =>
  itsRanges.reduce<[number, number][]>((runs, [start, end]) => {
    const last = runs.at(-1);
    if (last && last[1] === start) last[1] = end;
    else runs.push([start, end]);
    return runs;
  }, []);

test('the first regions cover exactly the ranges, about minRegions of them', (t) => {
  holds(
    t,
    fc.property(ranges, limits, (itsRanges, { minRegions, maxRegions }) => {
      const table = started(itsRanges, minRegions, maxRegions);
      assert.equal(flawOf(table), undefined);
      assert.deepEqual(union(table), runsOf(itsRanges));
      assert.ok(table.count <= minRegions + itsRanges.length);
    }),
  );
});

test('merging and splitting keep regions sorted, disjoint, never empty, and every page where it was', (t) => {
  holds(
    t,
    fc.property(
      ranges,
      limits,
      seeds,
      fc.array(seeds, { minLength: 1, maxLength: 12 }),
      (itsRanges, itsLimits, seed, rounds) => {
        const table = started(itsRanges, itsLimits.minRegions, itsLimits.maxRegions);
        const targets = [{ table, random: randomFrom(new RandomStreams(seed).next()) }];
        const adaptation = new DamonAdaptation();
        const pages = table.totalPages();
        for (const round of rounds) {
          for (let i = 0; i < table.count; i++) table.nrAccesses[i] = ((round >>> (i % 24)) * 7) % 21;
          const before = table.count;
          adaptation.merge(targets, itsLimits);
          assert.ok(table.count <= before);
          assert.equal(flawOf(table), undefined);
          assert.deepEqual(union(table), runsOf(itsRanges));
          assert.ok(countRegions(targets) <= Math.max(itsLimits.maxRegions, 2 * itsLimits.minRegions + 3));
          const merged = table.count;
          adaptation.split(targets, itsLimits);
          assert.ok(table.count >= merged && table.count <= Math.max(merged, itsLimits.maxRegions));
          assert.equal(flawOf(table), undefined);
          assert.deepEqual(union(table), runsOf(itsRanges));
          assert.equal(table.totalPages(), pages);
        }
      },
    ),
    { numRuns: 60 },
  );
});

test('maxRegions holds over all targets together', (t) => {
  holds(
    t,
    fc.property(fc.array(ranges, { minLength: 2, maxLength: 6 }), seeds, (many, seed) => {
      const itsLimits = { minRegions: 3, maxRegions: 100, maxNrAccesses: 20 };
      const streams = new RandomStreams(seed);
      const targets = many.map((each) => ({
        table: started(each, 3, 100),
        random: randomFrom(streams.next()),
      }));
      const adaptation = new DamonAdaptation();
      for (let round = 0; round < 8; round++) {
        for (const { table, random } of targets) {
          pickSamples(table, random);
          for (let i = 0; i < table.count; i++) table.nrAccesses[i] = table.samplePage[i]! % 21;
        }
        adaptation.merge(targets, itsLimits);
        adaptation.split(targets, itsLimits);
        assert.ok(countRegions(targets) <= itsLimits.maxRegions);
      }
    }),
    { numRuns: 40 },
  );
});

test('an update covers exactly the new ranges, and adds only a few regions', (t) => {
  holds(
    t,
    fc.property(ranges, ranges, limits, seeds, (before, after, itsLimits, seed) => {
      const table = started(before, itsLimits.minRegions, itsLimits.maxRegions);
      const targets = [{ table, random: randomFrom(new RandomStreams(seed).next()) }];
      new DamonAdaptation().split(targets, itsLimits);
      const count = table.count;
      table.setRanges(Float64Array.from(after.flat()));
      updateRegions(table);
      assert.equal(flawOf(table), undefined);
      assert.deepEqual(union(table), runsOf(after));
      assert.ok(table.count <= count + 8);
    }),
  );
});

test('a sampled page lies in its region, in regions of terabytes too', (t) => {
  holds(
    t,
    fc.property(ranges, limits, seeds, (itsRanges, { minRegions, maxRegions }, seed) => {
      const table = started(itsRanges, minRegions, maxRegions);
      pickSamples(table, randomFrom(new RandomStreams(seed).next()));
      spans(table).forEach(([start, end], i) => {
        const page = table.samplePage[i]!;
        assert.ok(Number.isInteger(page) && page >= start && page < end);
      });
    }),
  );
});

test('three ranges cover every mapping, and leave out the two largest gaps', (t) => {
  const mappings = fc
    .array(fc.tuple(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 1, max: 50 })), {
      minLength: 1,
      maxLength: 40,
    })
    .map((gaps) => {
      let at = 0;
      return gaps.map(([gap, size]): [number, number] => {
        const start = at + gap;
        at = start + size;
        return [start, at];
      });
    });
  holds(
    t,
    fc.property(mappings, (mapped) => {
      const found = [...threeRanges(Float64Array.from(mapped.flat()))];
      const gaps = mapped.slice(1).map(([start], i) => start - mapped[i]![1]);
      const cuts = gaps
        .map((gap, i) => ({ gap, i }))
        .filter(({ gap }) => gap > 0)
        .sort((a, b) => b.gap - a.gap || a.i - b.i)
        .slice(0, 2)
        .sort((a, b) => a.i - b.i);
      const expected = [
        mapped[0]![0],
        ...cuts.flatMap(({ i }) => [mapped[i]![1], mapped[i + 1]![0]]),
        mapped.at(-1)![1],
      ];
      assert.deepEqual(found, expected);
    }),
  );
});

test('without mappings there are no ranges', (t) => {
  t.is(threeRanges(new Float64Array(0)).length, 0);
});
