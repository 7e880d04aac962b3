import { Pagemap } from '../kernel/pagemap.js';
import { Smaps } from '../kernel/smaps.js';
import { attempt } from '../kernel/text-file.js';

/** Ranges from this size on are narrowed to the parts that hold memory: 64 MiB of 4 KiB pages. */
const LARGE_PAGES = 16_384;
/** Parts are widened to this many pages, so that neighbours of a touched page are covered before they are touched. */
const GRAIN = 512;
/** Narrowing begins if at most this share of what is mapped is resident, and ends above the second. */
const SPARSE = 1 / 4;
const NO_LONGER_SPARSE = 1 / 2;
/** Of a core: a look that takes longer than this share of an update interval makes the next ones rarer. */
const LOOK_SHARE = 0.002;

/** Most parts of a mapping. With more, all of it is covered. */
const MOST_PARTS = 2 ** 16;

/** Shared by all targets of this thread, one at a time. */
const smaps = new Smaps();
let found = new Float64Array(2_048);

/**
 * Narrows the large mappings of a process to what holds memory. Runtimes reserve far more than they touch: a JVM its whole
 * heap, a sanitizer 16 TiB of shadow memory. Samples there would find nothing.
 *
 * - With native/words.c and Linux 6.7 or newer, to the parts that have pages (`Pagemap.presentIn`).
 * - Otherwise a large mapping of which nothing is resident is left out (smaps).
 *
 * A part that was seen once stays while it is mapped: memory that is swapped out or given back may be used again, and the
 * layout does not change all the time. New parts are found by the next look, once per update interval unless the process has
 * so much memory that looks cost more than 0.2 % of a core.
 */
export class PresentParts {
  /** [start, end) pairs of pages that have held memory, in address order. */
  #seen: Float64Array = new Float64Array(0);
  #isSparse = false;
  #dueMs = 0;

  constructor(readonly pid: number) {}

  /** @param mapped [start, end) pairs of pages in address order */
  narrow(mapped: Float64Array, residentPages: number): Float64Array {
    let [pages, large] = [0, 0];
    for (let i = 0; i < mapped.length; i += 2) {
      const size = mapped[i + 1]! - mapped[i]!;
      pages += size;
      if (size >= LARGE_PAGES) large++;
    }
    this.#isSparse = residentPages < (this.#isSparse ? NO_LONGER_SPARSE : SPARSE) * pages;
    if (large === 0 || !this.#isSparse) return mapped;
    const startMs = performance.now();
    if (startMs >= this.#dueMs) {
      this.#look(mapped);
      this.#dueMs = startMs + (performance.now() - startMs) / LOOK_SHARE;
    }
    const isSmall = (size: number) => size < LARGE_PAGES;
    return union(
      filtered(mapped, isSmall),
      intersection(
        filtered(mapped, (size) => !isSmall(size)),
        this.#seen,
      ),
    );
  }

  #look(mapped: Float64Array): void {
    const parts: number[] = [];
    const pagemap = attempt(() => new Pagemap(this.pid));
    try {
      for (let i = 0; i < mapped.length; i += 2) {
        const [start, end] = [mapped[i]!, mapped[i + 1]!];
        if (end - start < LARGE_PAGES) continue;
        const count = pagemap && scan(pagemap, start, end);
        if (count === undefined) {
          this.#lookAtMappings();
          return;
        }
        if (count === Number.POSITIVE_INFINITY) parts.push(start, end);
        else for (let p = 0; p < 2 * count; p++) parts.push(found[p]!);
      }
    } finally {
      pagemap?.close();
    }
    this.#seen = union(this.#seen, Float64Array.from(parts));
  }

  #lookAtMappings(): void {
    const parts: number[] = [];
    const mappings = attempt(() => smaps.read(this.pid)) ?? 0;
    for (let m = 0; m < mappings; m++) {
      if (smaps.residentBytes[m]! > 0) parts.push(smaps.startPage[m]!, smaps.endPage[m]!);
    }
    this.#seen = union(this.#seen, Float64Array.from(parts));
  }
}

/** The number of parts in `found`, which grows as needed; Infinity if there are too many to be worth it. */
function scan(pagemap: Pagemap, start: number, end: number): number | undefined {
  for (;;) {
    const count = pagemap.presentIn(start, end, GRAIN, found);
    if (count !== Number.POSITIVE_INFINITY || found.length >= 2 * MOST_PARTS) return count;
    found = new Float64Array(4 * found.length);
  }
}

function filtered(pairs: Float64Array, isIn: (size: number) => boolean): Float64Array {
  const kept: number[] = [];
  for (let i = 0; i < pairs.length; i += 2)
    if (isIn(pairs[i + 1]! - pairs[i]!)) kept.push(pairs[i]!, pairs[i + 1]!);
  return Float64Array.from(kept);
}

/** Both in address order, as the result, whose pairs do not touch. */
function union(a: Float64Array, b: Float64Array): Float64Array {
  const all: number[] = [];
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    const isA = j >= b.length || (i < a.length && a[i]! <= b[j]!);
    const [start, end] = isA ? [a[i]!, a[i + 1]!] : [b[j]!, b[j + 1]!];
    if (isA) i += 2;
    else j += 2;
    if (all.length > 0 && start <= all.at(-1)!) all[all.length - 1] = Math.max(all.at(-1)!, end);
    else all.push(start, end);
  }
  return Float64Array.from(all);
}

function intersection(a: Float64Array, b: Float64Array): Float64Array {
  const both: number[] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const start = Math.max(a[i]!, b[j]!);
    const end = Math.min(a[i + 1]!, b[j + 1]!);
    if (end > start) both.push(start, end);
    if (a[i + 1]! < b[j + 1]!) i += 2;
    else j += 2;
  }
  return Float64Array.from(both);
}
