import type { RegionTable } from './region-table.js';

/**
 * Fits the regions to the target's present ranges (`table.ranges`), in place: regions that touch no range are
 * dropped, the first and the last region inside a range are stretched or clipped to its edges, and a fresh
 * region fills every hole. What the regions had learned stays. A region that reaches over the gap between
 * two ranges stays with the first of them.
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
