import { existsSync } from 'node:fs';
import { readMemoryHead } from './memory-file.js';
import { processError } from './process-errors.js';
import { fieldOf } from './text-file.js';

/** What /proc/PID/smaps_rollup sums up over all mappings of a process, in bytes. */
export interface MemoryRollup {
  /** Resident: in memory and mapped by the process, hugetlb included. */
  readonly rssBytes: number;
  /**
   * Each resident page divided by how many times it is mapped: summed over processes, no page counts twice. Hugetlb pages that
   * several map are in it for none, for the kernel does not say by how many to divide them.
   */
  readonly pssBytes: number;
  /** Of the resident pages, those that are mapped more than once, by whomever. */
  readonly sharedBytes: number;
}

/**
 * Reads /proc/PID/smaps_rollup (Documentation/ABI/testing/procfs-smaps_rollup): the sums of smaps, `Name:  123 kB`
 * each, without a block a mapping. Since Linux 4.14, with CONFIG_PROC_PAGE_MONITOR; readable by the process's own user
 * and by root. Making it walks every resident page. Its Rss and Pss leave out the zero page, but also hugetlb, which
 * Private_Hugetlb and Shared_Hugetlb tell; they are added here. Surprise: a process without memory (a zombie, a kernel
 * thread) answers ESRCH.
 *
 * @throws PagepulseError `NO_PROCESS` (also where the kernel has no such file), `PERMISSION`, `UNSUPPORTED`
 */
export function readRollup(pid: number): MemoryRollup {
  try {
    return parseRollup(readMemoryHead(pid, 'smaps_rollup').text);
  } catch (error) {
    throw processError(error, pid, `read smaps_rollup of process ${pid}`);
  }
}

/** Whether this kernel has the file at all. */
export function hasRollup(): boolean {
  return existsSync('/proc/self/smaps_rollup');
}

export function parseRollup(text: string): MemoryRollup {
  const of = (name: string) => (Number.parseInt(fieldOf(text, name) ?? '', 10) || 0) * 1_024;
  return {
    rssBytes: of('Rss') + of('Private_Hugetlb') + of('Shared_Hugetlb'),
    pssBytes: of('Pss') + of('Private_Hugetlb'),
    sharedBytes: of('Shared_Clean') + of('Shared_Dirty') + of('Shared_Hugetlb'),
  };
}
