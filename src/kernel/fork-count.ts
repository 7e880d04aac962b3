import { nextLine, parseDecimal, TextFile } from './text-file.js';

const text = new TextFile();
const PROCESSES = Buffer.from('\nprocesses ');

/**
 * Forks since boot: the line `processes` of /proc/stat (proc(5)). It counts processes and threads, of the whole machine,
 * also from inside a container. Costs some 50 us, more on machines with many interrupts.
 *
 * @returns NaN where the kernel does not tell
 */
export function readForkCount(): number {
  try {
    const length = text.read('/proc/stat');
    const at = text.bytes.indexOf(PROCESSES);
    if (at < 0 || nextLine(text.bytes, at + 1, length) > length) return Number.NaN;
    return parseDecimal(text.bytes, at + PROCESSES.length);
  } catch {
    return Number.NaN;
  }
}
