import { PagepulseError } from '../../core/errors.js';
import { Pagemap } from '../../kernel/pagemap.js';
import type { Slices } from '../../kernel/slices.js';
import { readStat } from '../../kernel/stat.js';
import { WordRun } from '../../kernel/words.js';
import type { SharingMethod, SharingTarget, TargetSharing } from './types.js';

/** What a target has, or that it has ended. */
export type CountedTarget = Omit<TargetSharing, 'id' | 'pid'> | 'ended';

/** Counts what processes share: by frames, or by their shares (Pss). */
export interface SharingCounter {
  readonly method: SharingMethod;
  /** Memory that it keeps for counting, in bytes. */
  readonly allocatedBytes: number;
  /** Before the first target of a survey. */
  begin(): void;
  /** @throws PagepulseError `NO_PROCESS`, `PERMISSION`, `TOO_LARGE`, `UNSUPPORTED` */
  read(target: SharingTarget, slices: Slices): Promise<CountedTarget>;
  /** After all targets were read: what one of them shares, in bytes; undefined if `read` has said so already. */
  readShared(target: SharingTarget, slices: Slices): Promise<number | undefined>;
  /** After all targets were read. */
  sums(): { readonly residentBytes: number; readonly workingSetBytes: number };
  close(): void;
}

/**
 * Opens the page table of a target. The start time is checked afterwards: if the process is still the same, it was when the
 * file was opened, and the file stays that of its address space.
 *
 * @throws PagepulseError `NO_PROCESS` (also if another process has the PID by now, or it is a zombie), `PERMISSION`
 */
export function openTarget({ pid, startTime }: SharingTarget): { pagemap: Pagemap; startTime: string } {
  const pagemap = new Pagemap(pid);
  try {
    return { pagemap, startTime: startTimeOf(pid, startTime) };
  } catch (error) {
    pagemap.close();
    throw error;
  }
}

/** The start time of the process, which must be the expected one. */
function startTimeOf(pid: number, expected: string | undefined): string {
  const { startTime, hasEnded } = readStat(pid);
  if (!hasEnded && (expected ?? startTime) === startTime) return startTime;
  throw new PagepulseError('NO_PROCESS', `process ${pid} has ended; run \`ps -e\` to list processes`);
}

/** 64 KiB of words. */
const RUN_PAGES = 8_192;

/** Reading of a target stops after this many empty pages (16 GiB; some 10 ms). */
const MOST_EMPTY_PAGES = 4 * 2 ** 20;

/** Sees each run of pages that was read. Hot: once for 8,192 pages. */
export interface PageVisitor {
  /**
   * @param halves the words, two signed halves each (pagemap.ts has the bits), overwritten afterwards
   * @param first number of the first page
   * @param count how many
   * @returns how many of them are present
   */
  visit(halves: Int32Array, first: number, count: number): number;
}

/** Reads the page tables of processes in runs, into one buffer. */
export class PageReader {
  readonly #run = new WordRun(RUN_PAGES);

  /**
   * Shows all pages of some ranges to a visitor: in address order, or the small ranges first if all are too large to read
   * completely.
   *
   * @param ranges [start, end) pairs of pages, of which `length` numbers are set
   * @returns pages that were left out, or undefined if the address space is gone (end, exec)
   */
  async read(
    pagemap: Pagemap,
    ranges: Float64Array,
    length: number,
    visitor: PageVisitor,
    slices: Slices,
  ): Promise<number | undefined> {
    let [empty, leftOut] = [0, 0];
    for (const at of inOrder(ranges, length)) {
      const end = ranges[at + 1]!;
      for (let page = ranges[at]!; page < end; page += RUN_PAGES) {
        if (empty >= MOST_EMPTY_PAGES) {
          leftOut += end - page;
          break;
        }
        if (slices.isOver) await slices.pause();
        const count = Math.min(RUN_PAGES, end - page);
        if (pagemap.readRun(this.#run, page, count) < count) return undefined;
        empty += count - visitor.visit(this.#run.halves, page, count);
      }
    }
    return leftOut;
  }
}

/** Indices of the pairs: as they are, or by size. */
function inOrder(ranges: Float64Array, length: number): number[] {
  const sizeAt = (at: number) => ranges[at + 1]! - ranges[at]!;
  const order: number[] = [];
  let pages = 0;
  for (let at = 0; at < length; at += 2) {
    order.push(at);
    pages += sizeAt(at);
  }
  return pages <= MOST_EMPTY_PAGES ? order : order.sort((a, b) => sizeAt(a) - sizeAt(b));
}

/** Index of the first number of an ascending array that is greater than a page: odd inside of a [start, end) pair. */
export function indexAbove(pairs: ArrayLike<number>, page: number): number {
  let [low, high] = [0, pairs.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (pairs[middle]! <= page) low = middle + 1;
    else high = middle;
  }
  return low;
}
