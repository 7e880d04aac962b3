import test from 'ava';
import fc from 'fast-check';
import { EXCLUSIVE, type Pagemap } from '../../../src/kernel/pagemap.js';
import type { WordRun } from '../../../src/kernel/words.js';
import { CommonPages, ticksBetween } from '../../../src/sources/idle-page/common-pages.js';

const PRESENT = 0x8000_0000;
const PAGES = 500;

/** A page table that maps PAGES consecutive frames at some page. Some may be exclusive or not present. */
function pagemapOf(at: number, firstFrame: number, others: Readonly<Record<number, number>> = {}) {
  return {
    readRun({ halves }: WordRun, first: number, count: number): number {
      for (let i = 0; i < count; i++) {
        halves[2 * i] = firstFrame + first + i - at;
        halves[2 * i + 1] = others[first + i - at] ?? PRESENT;
      }
      return count;
    },
  } satisfies Pick<Pagemap, 'readRun'>;
}

test('processes that map the same frames at any address sample few of them', (t) => {
  const common = new CommonPages();
  const picked = new Set<number>();
  for (let process = 0; process < 100; process++) {
    const start = 1_000 * process + process;
    const pagemap = pagemapOf(start, 7_000);
    for (let i = 0; i < PAGES; i++) {
      const page = common.pick(pagemap, start + i, 7_000 + i, start, start + PAGES);
      t.is(common.frame, 7_000 + page - start);
      picked.add(common.frame);
    }
  }
  t.true(picked.size < PAGES / 8, `${picked.size} of ${PAGES}`);
});

test('pages that are not present or exclusive to the process are not picked', (t) => {
  const common = new CommonPages();
  const start = 64;
  const usual = common.pick(pagemapOf(start, 100), start, 100, start, start + 256) - start;
  t.not(usual, 0);
  for (const other of [0, (PRESENT | EXCLUSIVE) >>> 0]) {
    const pagemap = pagemapOf(start, 100, { [usual]: other });
    t.not(common.pick(pagemap, start, 100, start, start + 256) - start, usual);
  }
});

test('the choice depends on frames alone, and all pages are equally likely', (t) => {
  const common = new CommonPages();
  const counts = new Uint32Array(64);
  for (let frame = 0; frame < 64_000 * 64; frame += 64) {
    counts[common.pick(pagemapOf(0, frame), 0, frame, 0, 256)]!++;
  }
  for (const count of counts) t.true(count > 800 && count < 1_200, `${count} of 64,000`);
});

test('the picked page lies in its region, and a small region samples all of its pages', (t) => {
  const common = new CommonPages();
  const region = fc.tuple(fc.integer({ min: 0, max: 2 ** 34 }), fc.integer({ min: 1, max: PAGES }));
  const holds = fc.property(region, fc.nat(), ([start, pages], at) => {
    const page = start + (at % pages);
    const picked = common.pick(pagemapOf(start, 9_000), page, 9_000 + page - start, start, start + pages);
    return start <= picked && picked < start + pages && (pages >= 8 || picked === page);
  });
  t.notThrows(() => fc.assert(holds));
});

test('a page of few processes is sampled in every tick, one of hundreds more rarely', (t) => {
  const ticks = [1, 16, 17, 32, 33, 80, 160, 1_000, 100_000].map((mappers) => ticksBetween(mappers, 20));
  t.deepEqual(ticks, [1, 1, 2, 2, 2, 4, 4, 4, 4]);
});

test('the ticks between two samples divide an aggregation interval', (t) => {
  const holds = fc.property(
    fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    fc.integer({ min: 1, max: 10_000 }),
    (mappers, ticks) => ticks % ticksBetween(mappers, ticks) === 0,
  );
  t.notThrows(() => fc.assert(holds)); // a failure reports the seed
});
