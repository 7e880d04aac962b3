import { readMemoryFile } from './memory-file.js';
import { readText, textBytes } from './text-file.js';

/**
 * Whether a text is in the environment that a process was started with: /proc/PID/environ (proc(5)), for those who may
 * ptrace it. A fork has that of its parent; what the program changes later is not seen there. Programs that write their
 * title over it (postgres, nginx) lose it.
 *
 * @returns undefined where there is no environment yet (in the middle of an exec the file is empty); false also where it
 *   may not be read or the process has ended
 */
export function environHolds(pid: number, wanted: string): boolean | undefined {
  try {
    const length = readMemoryFile(pid, 'environ', readText);
    return length === 0 ? undefined : textBytes.subarray(0, length).includes(wanted);
  } catch {
    return false;
  }
}
