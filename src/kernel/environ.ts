import { readMemoryPieces } from './memory-file.js';

/** The byte that ends a variable. */
const NUL = 0;

/**
 * Whether a text is in the environment that a process was started with: /proc/PID/environ (proc(5)), for those who may
 * ptrace it. A fork has that of its parent; what the program changes later is not seen there. Programs that write their
 * title over it (postgres, nginx) lose it.
 *
 * @returns undefined where there is no environment yet (in the middle of an exec the file is empty); false also where it
 *   may not be read, the process has ended, or it is not within the first MiB
 */
export function environHolds(pid: number, wanted: string): boolean | undefined {
  try {
    let isEmpty = true;
    for (const variables of readMemoryPieces(pid, 'environ', NUL)) {
      if (variables.includes(wanted)) return true;
      isEmpty = false;
    }
    return isEmpty ? undefined : false;
  } catch {
    return false;
  }
}
