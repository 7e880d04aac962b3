import type { RegionTable } from './region-table.js';

/**
 * The three ranges in which a target is watched. An address space is mostly empty. In nearly every process, its two largest
 * gaps lie between the heap and the mmap()ed areas, and between these and the stack:
 *
 *     |text data heap|      largest gap      |mmap()ed areas, libraries|     second gap     |stack|
 *     first mapping                                                                  last mapping
 *
 * Samples in those gaps would find nothing. Leaving out every small gap would make a region of every mapping.
 *
 * @param mapped [start, end) pairs of pages in address order, without `[vsyscall]`; may touch, may be empty
 * @param length how many numbers of `mapped` are in use
 * @returns up to three [start, end) pairs in address order: none without mappings, and one more than there are gaps
 */
export function threeRanges(mapped: Float64Array, length = mapped.length): Float64Array {
  if (length === 0) return new Float64Array(0);
  let [largest, second] = [0, 0];
  let [largestAt, secondAt] = [-1, -1]; // index of the pair before the gap
  for (let i = 2; i < length; i += 2) {
    const gap = mapped[i]! - mapped[i - 1]!;
    if (gap > largest) {
      [second, secondAt] = [largest, largestAt];
      [largest, largestAt] = [gap, i - 2];
    } else if (gap > second) {
      [second, secondAt] = [gap, i - 2];
    }
  }
  const edges = [mapped[0]!];
  for (const before of [largestAt, secondAt].filter((at) => at >= 0).sort((a, b) => a - b)) {
    edges.push(mapped[before + 1]!, mapped[before + 2]!);
  }
  edges.push(mapped[length - 1]!);
  return Float64Array.from(edges);
}

/**
 * Fills the table with the first regions of a target. Divides each range (`table.ranges`) into equal pieces of about total
 * pages / minRegions. A smaller range becomes one region. The last piece of a range takes the remainder of the division. With
 * three ranges, this yields at most minRegions + 2 regions.
 */
export function initRegions(table: RegionTable, minRegions: number): void {
  const { ranges, rangeCount } = table;
  let total = 0;
  for (let r = 0; r < rangeCount; r++) total += ranges[2 * r + 1]! - ranges[2 * r]!;

  let count = 0;
  for (let r = 0; r < rangeCount; r++) {
    const start = ranges[2 * r]!;
    const end = ranges[2 * r + 1]!;
    // size / piece for a piece of total / minRegions, at least one page; not rounded before the division
    const pieces = Math.floor(((end - start) * Math.min(minRegions, total)) / total);
    count = splitEvenly(table, count, start, end, Math.max(1, pieces));
  }
  table.count = count;
}

/** Writes [start, end) as `pieces` fresh regions from row `at` on. @returns the row after them */
export function splitEvenly(
  table: RegionTable,
  at: number,
  start: number,
  end: number,
  pieces: number,
): number {
  const width = Math.floor((end - start) / pieces);
  for (let i = 0; i < pieces; i++) {
    const from = start + i * width;
    table.setFresh(at + i, from, i === pieces - 1 ? end : from + width);
  }
  return at + pieces;
}

/**
 * Fits the regions to the target's current ranges (`table.ranges`), in place:
 *
 * - Drops regions outside all ranges.
 * - Stretches or clips the first and last region in a range to its edges.
 * - Fills every hole with a fresh region.
 *
 * The other regions keep their counts and ages. A region that spans the gap between two ranges stays with the first of them.
 */
export function updateRegions(table: RegionTable): void {
  const { startPage, endPage, ranges, rangeCount, capacity } = table;
  let read = table.moveToEnd();
  let write = 0;
  for (let r = 0; r < rangeCount; r++) {
    const rangeStart = ranges[2 * r]!;
    const rangeEnd = ranges[2 * r + 1]!;
    while (read < capacity && endPage[read]! <= rangeStart) read++;
    let covered = rangeStart;
    for (; read < capacity && startPage[read]! < rangeEnd; read++) {
      const start = covered === rangeStart ? rangeStart : startPage[read]!;
      if (start > covered) table.setFresh(write++, covered, start);
      const isLast = read + 1 === capacity || startPage[read + 1]! >= rangeEnd;
      const end = isLast ? rangeEnd : endPage[read]!;
      table.copyRow(read, write);
      startPage[write] = start;
      endPage[write] = end;
      write++;
      covered = end;
    }
    if (covered === rangeStart) table.setFresh(write++, rangeStart, rangeEnd);
  }
  table.count = write;
}
