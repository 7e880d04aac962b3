import test from 'ava';
import { Memory } from '../../../src/core/evidence/learn.js';
import { RegionTable } from '../../../src/core/region-table.js';

const PAGES = 100;

/** Rows side by side that remember these hits of 200 samples. */
function tableOf(hits: readonly number[]): RegionTable {
  const table = RegionTable.forLimits(3, hits.length, 32);
  table.maxNrAccesses = 20;
  table.count = hits.length;
  hits.forEach((of, i) => {
    table.setFresh(i, PAGES * i, PAGES * (i + 1));
    table.evidence!.hits[i] = of;
    table.evidence!.trials[i] = 200;
  });
  return table;
}

/** An aggregation interval in which each row gets these answers. */
function read(memory: Memory, table: RegionTable, answers: readonly boolean[]): void {
  const { evidence } = table;
  evidence!.answers.fill(0);
  for (let i = 0; i < table.count; i++) {
    answers.forEach((isHit, at) => {
      const page = PAGES * i + at + 1;
      evidence!.answers[i * evidence!.answersPerRegion + at] = isHit ? page : -page;
    });
  }
  memory.read(table);
  for (const column of ['hits', 'trials', 'pendingHits', 'pendingTrials'] as const)
    evidence![column].set(memory[column].subarray(0, table.count));
}

/** How many such aggregation intervals it takes until a row has changed; 100 for never. */
function untilChanged(memory: Memory, table: RegionTable, answers: readonly boolean[], row = 0): number {
  for (let n = 1; n < 100; n++) {
    read(memory, table, answers);
    if (memory.hasChanged[row] === 1) return n;
  }
  return 100;
}

test('a row that is asked once per aggregation interval soon shows that it is no longer hot', (t) => {
  const memory = new Memory();
  const table = tableOf([180]);
  const intervals = untilChanged(memory, table, [false]);
  t.true(intervals <= 6, `${intervals} aggregation intervals`);
  t.deepEqual([memory.hits[0], memory.trials[0]], [0, intervals], 'what came before is forgotten');
});

test('and that it is hot now', (t) => {
  const intervals = untilChanged(new Memory(), tableOf([10]), [true]);
  t.true(intervals <= 5, `${intervals} aggregation intervals`);
});

test('answers of before do not weigh against a change', (t) => {
  const [memory, table] = [new Memory(), tableOf([180])];
  // A little more often than before: these lean to the other side.
  for (let n = 0; n < 30; n++) read(memory, table, [true]);
  const intervals = untilChanged(memory, table, [false]);
  t.true(intervals <= 6, `${intervals} aggregation intervals`);
});

test('a row that goes on as it was has not changed, and remembers no more samples than it may', (t) => {
  const [memory, table] = [new Memory(), tableOf([100])];
  for (let n = 0; n < 300; n++) {
    read(memory, table, [n % 2 === 0, n % 3 === 0]);
    t.is(memory.hasChanged[0], 0);
    t.true(memory.trials[0]! <= 200 + 1e-9);
    t.true(memory.hits[0]! >= 0 && memory.hits[0]! <= memory.trials[0]!);
  }
});

test('neighbours show together that they are no longer hot, long before one could alone', (t) => {
  const pieces = new Array<number>(20).fill(130);
  const [memory, table] = [new Memory(), tableOf([0, ...pieces, 0])];
  const together = untilChanged(memory, table, [false, false], 1);
  t.deepEqual([...memory.hasChanged.subarray(0, table.count)], [0, ...pieces.map(() => 1), 0]);
  t.true(memory.hits.subarray(1, 1 + pieces.length).every((hits) => hits === 0));
  t.is(memory.trials[0], 200, 'the ground beside them has not changed');
  const alone = untilChanged(new Memory(), tableOf([0, 130, 0]), [false, false], 1);
  t.true(2 * together <= alone, `${together} aggregation intervals together, ${alone} alone`);
});

test('after neighbours have become colder together, each knows enough to be told from the ground', (t) => {
  const pieces = Array.from({ length: 24 }, (_, n) => 190 + (n % 8));
  const [memory, table] = [new Memory(), tableOf([0, ...pieces, 0])];
  t.true(untilChanged(memory, table, [false, true, false], 1) < 5);
  pieces.forEach((_, n) => {
    const i = n + 1;
    t.is(memory.hasChanged[i], 1);
    t.true(Math.abs(memory.hits[i]! / memory.trials[i]! - 1 / 3) < 0.01);
    t.is(memory.trials[i], 8);
  });
});

test('rows with a hole between them are not neighbours', (t) => {
  const [memory, table] = [new Memory(), tableOf([130, 130, 130, 130, 130, 130, 130, 130])];
  for (let i = 0; i < table.count; i++) {
    table.startPage[i]! += PAGES * i;
    table.endPage[i]! += PAGES * i;
  }
  t.is(
    untilChanged(memory, table, [false, false]),
    untilChanged(new Memory(), tableOf([130]), [false, false]),
  );
});
