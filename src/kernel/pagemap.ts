import { pageSize } from './page-size.js';
import { processError } from './process-errors.js';
import { memoryDirectory } from './stat.js';
import { nativeWords, type WordBatch, WordFile } from './words.js';

/** The page is not in memory: never touched, swapped out, or not mapped at all. */
export const NOT_PRESENT = -1;
/** The address space is gone: the process has ended, or has replaced itself (exec). */
export const NO_ADDRESS_SPACE = -2;

/** A word beside another costs some 20 ns, a call some 400 ns from C and 1 us from JavaScript: pages at most this far apart share one. */
const REACH = 24;

/** What `scanPresent` returns if the pairs have no room. */
const TOO_MANY = -2;

/** Bits of the high half of a word (bits 32 .. 63). */
const PRESENT = 0x8000_0000; // bit 63
export const OF_FILE = 0x2000_0000; // bit 61
export const EXCLUSIVE = 0x0100_0000; // bit 56
const FRAME_HIGH = 0x007f_ffff; // bits 32 .. 54

/**
 * /proc/PID/pagemap (Documentation/admin-guide/mm/pagemap.rst): a 64-bit word a page, at page * 8. Bit 63: present;
 * bit 62: swapped; bit 61: page of a file or shared; bit 56: mapped only here; bits 0-54: the frame number.
 *
 * Opening needs ptrace access to the process (its own user, or root). Frame numbers need CAP_SYS_ADMIN as well;
 * since Linux 4.2 they read as 0 without it, instead of an error. An open descriptor belongs to the address space
 * that the process had when it was opened: after an exec or exit, reads end early (0 bytes). It outlives the thread through
 * which it was opened, if others go on.
 *
 * Surprises: the zero page, which untouched anonymous memory shows to a reader, is present, with
 * neither bit 61 nor bit 56; so is a page of anonymous memory that a fork shares, and memory of a device. The huge
 * zero page has bit 61. Of kernels before 4.2 no page has bit 56.
 */
export class Pagemap extends WordFile {
  /** @throws PagepulseError `NO_PROCESS`, `PERMISSION` */
  constructor(pid: number, directory = memoryDirectory(pid)) {
    try {
      super(`${directory}/pagemap`, 'r', REACH);
    } catch (error) {
      throw processError(error, pid, `read the page table of process ${pid}`);
    }
  }

  /**
   * Which parts of a range of pages are in memory or in swap, widened to multiples of `grain` pages (ioctl_pagemap_scan(2)).
   * Takes time for the pages that are there, and hardly any for the others: 16 TiB with nothing in them take some
   * microseconds.
   *
   * @param pairs gets [start, end) pairs of pages
   * @returns how many pairs, Infinity if there is no room for them; undefined if the kernel is older than 6.7, or
   *   native/words.c is not built
   */
  presentIn(startPage: number, endPage: number, grain: number, pairs: Float64Array): number | undefined {
    const bytes = pageSize();
    const [start, end] = [startPage * bytes, endPage * bytes];
    const count = nativeWords?.scanPresent(this.descriptor, start, end, grain * bytes, pairs) ?? -1;
    for (let i = 0; i < 2 * count; i++) pairs[i]! /= bytes;
    return count >= 0 ? count : count === TOO_MANY ? Number.POSITIVE_INFINITY : undefined;
  }

  /** The frame of a page (0 if the kernel hides it), NOT_PRESENT or NO_ADDRESS_SPACE. */
  frameOf(page: number): number {
    return this.read(page) ? frameOfWord(this.low, this.high) : NO_ADDRESS_SPACE;
  }
}

/** The frame in a word of a batch that was read, as `frameOf`; NOT_PRESENT for all if the address space is gone. */
export function frameIn({ halves }: WordBatch, at: number): number {
  return frameOfWord(halves[2 * at]!, halves[2 * at + 1]!);
}

/** Whether other page tables may map the page of a word that was read. */
export function isSharedIn({ halves }: WordBatch, at: number): boolean {
  return isSharedHigh(halves[2 * at + 1]!);
}

/** The same of the high half of a word. */
export function isSharedHigh(high: number): boolean {
  return (high & EXCLUSIVE) === 0;
}

/** Whether a page is present, from the high half of its word as a signed number: bit 63 is the sign. */
export function isPresentIn(high: number): boolean {
  return high < 0;
}

/** The frame of a present page, from the halves of its word as signed numbers. Below 16 TiB it stays an integer. */
export function frameOfHalves(low: number, high: number): number {
  const above = high & FRAME_HIGH;
  return above === 0 ? low >>> 0 : above * 0x1_0000_0000 + (low >>> 0);
}

function frameOfWord(low: number, high: number): number {
  return (high & PRESENT) === 0 ? NOT_PRESENT : (high & FRAME_HIGH) * 0x1_0000_0000 + low;
}
