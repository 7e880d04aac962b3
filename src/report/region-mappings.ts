import { printable } from '../core/printable.js';
import type { SnapshotColumns } from '../core/snapshot-columns.js';
import type { Mapping } from '../kernel/maps.js';
import { namedRange } from '../processes/mapping-names.js';
import { clip, columnsOf } from './characters.js';

/**
 * Goes through regions and mappings side by side, and tells of each overlap: a region that spans several mappings is
 * divided among them. Both are in address order, so it is one pass; it is made for every snapshot of a record.
 *
 * @param visit gets the index of the region, that of the mapping, and the pages they share, at least 1
 */
export function forEachOverlap(
  { startPages, endPages }: Pick<SnapshotColumns, 'startPages' | 'endPages'>,
  mappings: readonly Pick<Mapping, 'startPage' | 'endPage'>[],
  visit: (region: number, mapping: number, pages: number) => void,
): void {
  for (let i = 0, j = 0; i < startPages.length && j < mappings.length; ) {
    const mapping = mappings[j]!;
    const start = Math.max(startPages[i]!, mapping.startPage);
    const end = Math.min(endPages[i]!, mapping.endPage);
    if (end > start) visit(i, j, end - start);
    if (endPages[i]! < mapping.endPage) i++;
    else j++;
  }
}

/**
 * What a range of pages belongs to: the name that most of it is mapped under, and how many other names there are in it
 * (`libc.so.6 +2 more`). Printable, and at most `columns` wide: a path is cut down to its last part where it would be wider.
 *
 * @param mappings in address order
 */
export function nameOfRange(
  mappings: readonly Mapping[],
  startPage: number,
  endPage: number,
  columns = Number.POSITIVE_INFINITY,
): string {
  const range = namedRange(mappings, startPage, endPage);
  let name = printable(range.name);
  const others = range.others > 0 ? ` +${range.others} more` : '';
  if (columnsOf(name) + others.length > columns && name.startsWith('/')) {
    name = name.slice(name.lastIndexOf('/') + 1);
  }
  const forName = columns - others.length;
  return forName < 4 ? clip(name, columns) : clip(name, forName) + others;
}
