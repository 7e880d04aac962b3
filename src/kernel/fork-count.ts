import { parseDecimal, readText, textBytes } from './text-file.js';

const PROCESSES = Buffer.from('\nprocesses ');

/**
 * Forks since boot: the line `processes` of /proc/stat (proc(5)). It counts processes and threads, of the whole machine,
 * also from inside a container. Costs some 50 us, more on machines with many interrupts.
 *
 * @returns NaN where the kernel does not tell
 */
export function readForkCount(): number {
  try {
    const length = readText('/proc/stat');
    const at = textBytes.subarray(0, length).indexOf(PROCESSES);
    return at < 0 ? Number.NaN : parseDecimal(textBytes, at + PROCESSES.length);
  } catch {
    return Number.NaN;
  }
}
