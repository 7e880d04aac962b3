import { parseDecimal, readPieces, SYSTEM_FILE_LIMIT } from './text-file.js';

const PROCESSES = Buffer.from('processes ');

/**
 * Forks since boot: the line `processes` of /proc/stat (proc(5)). It counts processes and threads, of the whole machine,
 * also from inside a container. Costs some 50 us, more on machines with many interrupts.
 *
 * @returns NaN where the kernel does not tell
 */
export function readForkCount(): number {
  try {
    for (const lines of readPieces('/proc/stat', SYSTEM_FILE_LIMIT)) {
      const at = lines.indexOf(PROCESSES);
      if (at >= 0) return parseDecimal(lines, at + PROCESSES.length);
    }
    return Number.NaN;
  } catch {
    return Number.NaN;
  }
}
