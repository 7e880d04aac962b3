import test from 'ava';
import fc from 'fast-check';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { RandomStreams, randomFrom } from '../../src/core/random.js';
import type { RegionTable } from '../../src/core/region-table.js';
import { makeSparse, pickSamples, Samples, SPARSE_GROUP } from '../../src/core/sampling.js';
import { type Row, tableOf } from '../helpers/tables.js';

const SALT = 0x1234_5678;

function pickSparse(table: RegionTable, random: RandomGenerator, salt: number): void {
  pickSamples(table, random);
  makeSparse(new Samples(table), salt);
}

/** The pages that many ticks sample, in any of the regions. */
function asked(rows: readonly Row[], salt = SALT, ticks = 20_000): Set<number> {
  const table = tableOf(rows);
  const stream = randomFrom(new RandomStreams(1).next());
  const pages = new Set<number>();
  for (let tick = 0; tick < ticks; tick++) {
    pickSparse(table, stream, salt);
    for (let i = 0; i < table.count; i++) pages.add(table.samplePage[i]!);
  }
  return pages;
}

test('in a large region, one of each 64 neighbouring pages is sampled', (t) => {
  const start = 2 ** 34 + 64 * 5;
  const pages = [...asked([[start, start + 4_096]])];
  const groups = new Set(pages.map((page) => Math.floor(page / SPARSE_GROUP)));
  t.is(pages.length, 64);
  t.is(groups.size, 64);
  // A different one in each group, so that strided accesses of a program are not missed.
  t.true(new Set(pages.map((page) => page % SPARSE_GROUP)).size > 16);
});

test('in a small region, every page is sampled', (t) => {
  t.is(asked([[1_000, 1_060]]).size, 60);
});

test('pages that are sampled in a large region are also sampled in its parts', (t) => {
  const whole = asked([[8_192, 8_192 + 4_096]]);
  const parts = asked(Array.from({ length: 8 }, (_, i) => [8_192 + 512 * i, 8_192 + 512 * (i + 1)]));
  t.true(parts.size >= 4 * whole.size, `${parts.size} and ${whole.size} pages`);
  for (const page of whole) t.true(parts.has(page), `page ${page}`);
});

test('over many salts, all pages are equally likely to be sampled', (t) => {
  const hits = new Uint32Array(SPARSE_GROUP);
  const table = tableOf([[0, 4_096]]);
  const stream = randomFrom(new RandomStreams(2).next());
  for (let salt = 0; salt < 64_000; salt++) {
    pickSparse(table, stream, salt);
    hits[table.samplePage[0]! % SPARSE_GROUP]!++;
  }
  for (const count of hits) t.true(count > 800 && count < 1_200, `${count} of 64,000`);
});

test('a sampled page lies in its region, at any address', (t) => {
  const region = fc.tuple(fc.integer({ min: 0, max: 2 ** 40 }), fc.integer({ min: 1, max: 2 ** 34 }));
  const holds = fc.property(region, fc.integer(), ([start, pages], salt) => {
    const table = tableOf([[start, start + pages]]);
    pickSparse(table, randomFrom(new RandomStreams(salt).next()), salt);
    const page = table.samplePage[0]!;
    return Number.isInteger(page) && start <= page && page < start + pages;
  });
  t.notThrows(() => fc.assert(holds)); // a failure reports the seed
});
