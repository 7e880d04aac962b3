/**
 * The covered memory of a target as one dense sequence of positions: position p is the p-th covered page in address order.
 * Without the gaps between mappings, regions of equal size have equally many pages that can be accessed, wherever a program
 * keeps them.
 */
export class Layout {
  /** Runs of neighbouring pages. */
  readonly runs: number;
  /** The first page of each run, in address order. */
  readonly starts: Float64Array;
  /** The position of each run's first page. One more element is the number of all pages. */
  readonly positions: Float64Array;

  /**
   * @param pairs [start, end) pairs of pages in address order, disjoint and not empty
   * @param version tells layouts of one target apart
   */
  constructor(
    pairs: Float64Array,
    readonly version = 0,
  ) {
    this.runs = pairs.length / 2;
    this.starts = new Float64Array(this.runs);
    this.positions = new Float64Array(this.runs + 1);
    for (let r = 0; r < this.runs; r++) {
      this.starts[r] = pairs[2 * r]!;
      this.positions[r + 1] = this.positions[r]! + pairs[2 * r + 1]! - pairs[2 * r]!;
    }
  }

  /** The number of covered pages, and so of positions. */
  get pages(): number {
    return this.positions[this.runs]!;
  }

  /** The first page after a run. */
  endOf(run: number): number {
    return this.starts[run]! + this.positions[run + 1]! - this.positions[run]!;
  }

  /** The [start, end) pairs that it was made of. */
  pairs(): Float64Array {
    return Float64Array.from({ length: 2 * this.runs }, (_, i) =>
      i % 2 === 0 ? this.starts[i / 2]! : this.endOf((i - 1) / 2),
    );
  }

  /** The run of a position, from `first` on. Takes about log2(runs) steps. */
  runAt(position: number, first = 0): number {
    return lastUpTo(this.positions, position, first, this.runs);
  }

  /** The page of a position below `pages`. */
  pageAt(position: number): number {
    const run = this.runAt(position);
    return this.starts[run]! + position - this.positions[run]!;
  }

  /** The position of a page; -1 if it is not covered. */
  positionOf(page: number): number {
    const run = lastUpTo(this.starts, page, 0, this.runs);
    return run >= 0 && page < this.endOf(run) ? this.positions[run]! + page - this.starts[run]! : -1;
  }
}

/** The index of the last of the ascending values [first, after) that is not above `value`; `first` - 1 if there is none. */
function lastUpTo(values: Float64Array, value: number, first: number, after: number): number {
  let [low, high] = [first, after];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle]! <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** More than any process may map: its list of mappings would be too long to read. */
const MAX_RUNS = 2 ** 19;
const COUNT = 0;
const VERSION = 1;
const HEADER_BYTES = 8;

/**
 * The ranges of a layout in shared memory. A sampler reads them from the kernel in a phase, and the coordinator moves the
 * regions to them before the next one (`moveRegions`).
 */
export class SharedRanges {
  readonly #words: Int32Array;

  constructor(readonly buffer: SharedArrayBuffer) {
    this.#words = new Int32Array(buffer, 0, 2);
  }

  /** @param version of the layout that they are of */
  static of(pairs: Float64Array, version = 0): SharedRanges {
    // Reserves address space alone, until it grows.
    const maxByteLength = HEADER_BYTES + 16 * MAX_RUNS;
    const ranges = new SharedRanges(new SharedArrayBuffer(HEADER_BYTES, { maxByteLength }));
    ranges.#store(pairs, version);
    return ranges;
  }

  get version(): number {
    return this.#words[VERSION]!;
  }

  /** Replaces the ranges if they have changed. Takes a comparison if not. */
  update(pairs: Float64Array): void {
    if (!areEqual(pairs, this.#pairs())) this.#store(pairs, this.version + 1);
  }

  layout(): Layout {
    return new Layout(this.#pairs(), this.version);
  }

  #pairs(): Float64Array {
    return new Float64Array(this.buffer, HEADER_BYTES, this.#words[COUNT]!);
  }

  #store(pairs: Float64Array, version: number): void {
    const bytes = HEADER_BYTES + 8 * pairs.length;
    if (this.buffer.byteLength < bytes) this.buffer.grow(bytes);
    new Float64Array(this.buffer, HEADER_BYTES, pairs.length).set(pairs);
    this.#words[COUNT] = pairs.length;
    this.#words[VERSION] = version;
  }
}

function areEqual(a: Float64Array, b: Float64Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
