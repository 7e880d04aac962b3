import test from 'ava';
import fc from 'fast-check';
import { RandomStreams, randomFrom } from '../../src/core/random.js';
import { fewerTurns, targetTurns, turnsFor } from '../../src/core/turns.js';
import { pageSize } from '../../src/kernel/page-size.js';
import { SyntheticCheck } from '../../src/sources/synthetic/check.js';
import { tableOf } from '../helpers/tables.js';

test('a page of a few processes is asked about in every tick, one of hundreds in one of many', (t) => {
  const turns = [1, 16, 17, 32, 33, 80, 160, 1_000, 100_000].map((mappers) => turnsFor(mappers, 20));
  t.deepEqual(turns, [1, 1, 2, 2, 2, 4, 4, 4, 4]);
});

test('an aggregation interval has a whole number of turns', (t) => {
  const holds = fc.property(
    fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    fc.integer({ min: 1, max: 10_000 }),
    (mappers, ticks) => ticks % turnsFor(mappers, ticks) === 0,
  );
  t.notThrows(() => fc.assert(holds)); // says its seed where it fails
});

test('targets take as many turns as it needs, a divisor of the ticks, and no more than they are', (t) => {
  const turns = [0.5, 1, 1.01, 2, 2.5, 4.1, 7, 11, 500].map((needed) => targetTurns(needed, 20, 100));
  t.deepEqual(turns, [1, 1, 2, 2, 4, 5, 10, 20, 20]);
  t.is(targetTurns(4, 20, 3), 2);
  t.is(targetTurns(4, 20, 1), 1);
  t.is(targetTurns(4, 7, 100), 7);
});

test('and give them back one step at a time', (t) => {
  const steps = [20];
  while (steps.at(-1)! > 1) steps.push(fewerTurns(steps.at(-1)!, 20));
  t.deepEqual(steps, [20, 10, 5, 4, 2, 1]);
});

test('who is asked in one tick of several counts as often: nrAccesses says what it said', (t) => {
  const ticks = 20;
  const range = (page: number) => ({ startAddress: page * pageSize(), sizeBytes: 1_000 * pageSize() });
  const accesses = [
    { ...range(0), share: 1 },
    { ...range(1_000), share: 0.25 },
  ];
  const mappings = [{ startAddress: 0, sizeBytes: 3_000 * pageSize() }];
  const random = randomFrom(new RandomStreams(1).next());
  const check = new SyntheticCheck({ phases: [{ lastsUs: 1e6, mappings, accesses }] }, random, {
    counts: new Float64Array(2),
  });
  const table = tableOf([
    [0, 1_000],
    [1_000, 2_000],
    [2_000, 3_000],
  ]);
  table.maxNrAccesses = ticks;
  table.setTurns(4, 6);
  const rounds = 2_000;
  let asked = 0;
  let quarter = 0;
  for (let round = 0; round < rounds; round++) {
    table.nrAccesses.fill(0);
    for (let tick = 0; tick < ticks; tick++) {
      if (!table.takeTurn()) continue;
      asked++;
      check.prepareAccessChecks(table, 0);
      check.checkAccesses(table, 0);
    }
    t.deepEqual([table.nrAccesses[0], table.nrAccesses[2]], [ticks, 0]);
    quarter += table.nrAccesses[1]!;
  }
  t.is(asked, (rounds * ticks) / 4);
  // 5 of 20, with a standard error of 0.09 after 10,000 samples
  t.true(Math.abs(quarter / rounds - 5) < 0.5, `${quarter / rounds}`);
});
