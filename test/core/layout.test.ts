import test from 'ava';
import fc from 'fast-check';
import { Layout, SharedRanges } from '../../src/core/layout.js';
import { moveRegions } from '../../src/core/move-regions.js';
import { RandomStreams, randomFrom } from '../../src/core/random.js';
import { RegionTable } from '../../src/core/region-table.js';
import { initRegions } from '../../src/core/regions.js';
import { pickSamples, placeSamples, Samples } from '../../src/core/sampling.js';
import { snapshotColumns } from '../../src/core/snapshot-columns.js';
import { flawOf, spans } from '../helpers/tables.js';

/** A few mapped pages out of a few hundred, so that layouts of one property overlap. */
const somePages = fc
  .uniqueArray(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 150 })
  .map((pages) => pages.sort((a, b) => a - b));

function layoutOf(pages: readonly number[], version = 0): Layout {
  const pairs: number[] = [];
  for (const page of pages) {
    if (pairs.at(-1) === page) pairs[pairs.length - 1] = page + 1;
    else pairs.push(page, page + 1);
  }
  return new Layout(Float64Array.from(pairs), version);
}

/** A table over all positions of a layout, in regions of these sizes, each with its number as nrAccesses. */
function tableOver(layout: Layout, sizes: readonly number[], maxRegions = 1_000): RegionTable {
  const table = RegionTable.forLimits(3, maxRegions);
  let start = 0;
  let row = 0;
  for (; start < layout.pages; row++) {
    const end = Math.min(layout.pages, start + sizes[row % sizes.length]!);
    table.setFresh(row, start, end);
    table.nrAccesses[row] = row + 1;
    start = end;
  }
  table.count = row;
  return table;
}

/** The nrAccesses of the region of each page. */
function byPage(table: RegionTable, layout: Layout): Map<number, number> {
  const found = new Map<number, number>();
  for (const [i, [start, end]] of spans(table).entries()) {
    for (let at = start; at < end; at++) found.set(layout.pageAt(at), table.nrAccesses[i]!);
  }
  return found;
}

const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });

test('positions and pages are each other inverted', (t) => {
  fc.assert(
    fc.property(somePages, (pages) => {
      const layout = layoutOf(pages);
      t.is(layout.pages, pages.length);
      pages.forEach((page, position) => {
        t.is(layout.pageAt(position), page);
        t.is(layout.positionOf(page), position);
      });
      const mapped = new Set(pages);
      for (let page = 0; page <= 302; page++) if (!mapped.has(page)) t.is(layout.positionOf(page), -1);
      t.deepEqual(new Layout(layout.pairs()), layoutOf(pages));
    }),
  );
});

test('pages that stay keep their counts, new ones have none, and the regions cover all that is mapped', (t) => {
  fc.assert(
    fc.property(somePages, somePages, sizes, (before, after, regionSizes) => {
      const [from, to] = [layoutOf(before), layoutOf(after)];
      const table = tableOver(from, regionSizes);
      const had = byPage(table, from);
      moveRegions(table, from, to);
      t.is(flawOf(table), undefined);
      t.is(table.totalPages(), to.pages);
      const has = byPage(table, to);
      for (const page of after) t.is(has.get(page), had.get(page) ?? 0, `page ${page}`);
    }),
  );
});

test('without room, small new memory joins a neighbour, and no page is lost', (t) => {
  fc.assert(
    fc.property(somePages, somePages, sizes, (before, after, regionSizes) => {
      const [from, to] = [layoutOf(before), layoutOf(after)];
      const rows = tableOver(from, regionSizes).count;
      // The least room that a table of this many regions may have.
      const table = tableOver(from, regionSizes, Math.max(1, rows));
      const had = byPage(table, from);
      moveRegions(table, from, to);
      t.is(flawOf(table), undefined);
      t.is(table.totalPages(), to.pages);
      const has = byPage(table, to);
      for (const page of after) if (had.has(page)) t.is(has.get(page), had.get(page), `page ${page}`);
    }),
  );
});

test('samples lie in mapped memory, and in their region', (t) => {
  fc.assert(
    fc.property(somePages, sizes, fc.integer(), (pages, regionSizes, seed) => {
      const layout = layoutOf(pages);
      const table = tableOver(layout, regionSizes);
      const samples = new Samples(table, true);
      pickSamples(table, randomFrom(new RandomStreams(seed).next()));
      placeSamples(samples, layout);
      for (const [i, [start, end]] of spans(table).entries()) {
        const position = layout.positionOf(samples.pages[i]!);
        t.true(start <= position && position < end);
        // All pages that the check may choose in its place are mapped, and of the same region.
        for (let page = samples.startPages[i]!; page < samples.endPages[i]!; page++) {
          const at = layout.positionOf(page);
          t.true(start <= at && at < end);
          t.is(page - samples.offsets![i]!, at);
        }
      }
    }),
  );
});

test('the mapped sizes of published regions add up to the mapped memory, and their ends are mapped', (t) => {
  fc.assert(
    fc.property(somePages, fc.integer({ min: 3, max: 20 }), (pages, minRegions) => {
      const layout = layoutOf(pages);
      const table = RegionTable.forLimits(minRegions, 100);
      table.setRanges(Float64Array.of(0, layout.pages));
      initRegions(table, minRegions);
      const { startPages, endPages, mappedPages } = snapshotColumns(table, undefined, layout);
      t.is(
        mappedPages!.reduce((sum, each) => sum + each, 0),
        pages.length,
      );
      startPages.forEach((start, i) => {
        t.true(layout.positionOf(start) >= 0 && layout.positionOf(endPages[i]! - 1) >= 0);
        t.true(endPages[i]! - start >= mappedPages![i]!);
      });
    }),
  );
});

test('shared ranges get another version only if they change', (t) => {
  const ranges = SharedRanges.of(Float64Array.of(0, 4, 10, 20));
  ranges.update(Float64Array.of(0, 4, 10, 20));
  t.is(ranges.version, 0);
  const many = Float64Array.from({ length: 100_000 }, (_, i) => 3 * i);
  ranges.update(many);
  t.is(ranges.version, 1);
  const other = new SharedRanges(ranges.buffer).layout();
  t.is(other.version, 1);
  t.deepEqual(other.pairs(), many);
  ranges.update(Float64Array.of(0, 1));
  t.deepEqual(ranges.layout().pairs(), Float64Array.of(0, 1));
});
