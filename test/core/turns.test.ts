import test from 'ava';
import fc from 'fast-check';
import { turnsFor } from '../../src/core/turns.js';

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
