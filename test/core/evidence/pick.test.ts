import test from 'ava';
import { NOT_ASKED, RowKind } from '../../../src/core/evidence/columns.js';
import { RandomStreams, randomFrom } from '../../../src/core/random.js';
import { RegionTable } from '../../../src/core/region-table.js';
import { Answer, countAnswers, pickSamples, Samples } from '../../../src/core/sampling.js';

const TICKS = 20;
const random = randomFrom(new RandomStreams(3).next());

/** A row of 1,000 pages for each number of samples. */
function tableOf(planned: readonly number[]): RegionTable {
  const table = RegionTable.forLimits(3, planned.length, 32);
  table.maxNrAccesses = TICKS;
  planned.forEach((samples, i) => {
    table.setFresh(i, 1_000 * i, 1_000 * (i + 1));
    table.evidence!.planned[i] = samples;
  });
  table.count = planned.length;
  return table;
}

test('each row is asked as often as planned, in pages that lie evenly in it', (t) => {
  const planned = [0, 1, 3, 7, 19, 20, 32];
  const table = tableOf(planned);
  const pages = planned.map((): number[] => []);
  for (let tick = 0; tick < TICKS; tick++) {
    pickSamples(table, random);
    let asked = 0;
    for (let i = 0; i < table.count; i++) {
      if (table.samplePage[i] === NOT_ASKED) continue;
      pages[i]!.push(table.samplePage[i]! - 1_000 * i);
      asked++;
    }
    t.is(table.asked, asked);
  }
  pages.forEach((its, i) => {
    const samples = Math.min(TICKS, planned[i]!);
    const parts = its.map((page) => Math.floor((page * samples) / 1_000)).sort((a, b) => a - b);
    // A page that lies on the line between two parts may be rounded to either.
    t.is(its.length, samples);
    t.true(parts.every((part, k) => Math.abs(part - k) <= 1));
  });
});

test('gaps without a sample keep shrinking from one aggregation interval to the next', (t) => {
  const table = tableOf([10]);
  const seen = new Set<number>();
  for (let round = 0; round < 8; round++) {
    table.tick = 0;
    table.round = 2 * round; // even ones: the ends are not looked at closely
    for (let tick = 0; tick < TICKS; tick++) {
      pickSamples(table, random);
      if (table.samplePage[0] !== NOT_ASKED) seen.add(table.samplePage[0]!);
    }
  }
  const pages = [0, ...[...seen].sort((a, b) => a - b), 1_000];
  const largest = Math.max(...pages.slice(1).map((page, i) => page - pages[i]!));
  // 80 pages chosen by chance would leave gaps of some 60.
  t.true(largest < 32, `a gap of ${largest} pages`);
});

test('a probe asks its page, and others at all distances from it', (t) => {
  const table = tableOf([20]);
  table.evidence!.kind[0] = RowKind.PROBE;
  table.evidence!.pivot[0] = 300;
  const distances: number[] = [];
  for (let tick = 0; tick < TICKS; tick++) {
    pickSamples(table, random);
    distances.push(table.samplePage[0]! - 300);
  }
  t.is(distances.filter((distance) => distance === 0).length, 2);
  for (const side of [-1, 1]) {
    const its = distances.map((distance) => side * distance).filter((distance) => distance > 0);
    t.true(Math.min(...its) <= 2 && Math.max(...its) > 100 && its.length === 9, `${side}: ${its}`);
  }
});

test('a probe of a page that its row no longer has stays in the row', (t) => {
  const table = tableOf([20]);
  table.evidence!.kind[0] = RowKind.PROBE;
  for (const pivot of [-5, 1_300]) {
    table.evidence!.pivot[0] = pivot;
    for (let tick = 0; tick < TICKS; tick++) {
      pickSamples(table, random);
      t.true(table.samplePage[0]! >= 0 && table.samplePage[0]! < 1_000);
    }
  }
});

test('rows added after planning do not exceed the budget', (t) => {
  const table = tableOf([5, 20]);
  table.mostSamples = 15;
  for (let interval = 0; interval < 2; interval++) {
    let asked = 0;
    table.tick = 0;
    for (let tick = 0; tick < TICKS; tick++) {
      pickSamples(table, random);
      asked += table.asked;
    }
    t.is(asked, 15);
  }
});

test('answers are kept in the places of their pages; rows that were not asked have none', (t) => {
  const table = tableOf([2, 0]);
  const samples = new Samples(table);
  for (let tick = 0; tick < TICKS; tick++) {
    pickSamples(table, random);
    samples.clear();
    samples.answers[0] = samples.pages[0]! >= 500 ? Answer.HIT : Answer.MISS;
    countAnswers(samples);
  }
  const [first, second, third] = table.evidence!.answers;
  t.true(first! < 0 && -first! - 1 < 500);
  t.true(second! > 0 && second! - 1 >= 500);
  t.is(third, 0);
  t.true(table.evidence!.answers.subarray(32, 64).every((answer) => answer === 0));
});

test('a table without evidence has no columns for it, and one with evidence keeps them when copied', (t) => {
  t.is(RegionTable.forLimits(10, 100).evidence, undefined);
  const table = tableOf([5, 6]);
  table.evidence!.hits[1] = 3;
  table.evidence!.answers[32] = 77;
  t.is(new RegionTable(table.buffer).evidence!.hits[1], 3);
  table.copyRow(1, 0);
  t.is(table.evidence!.hits[0], 3);
  t.is(table.evidence!.answers[0], 77);
  const first = table.moveToEnd();
  t.is(table.evidence!.answers[32 * (first + 1)], 77);
  t.is(table.evidence!.planned[first], 6);
});
