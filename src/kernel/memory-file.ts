import { readFileSync } from 'node:fs';
import { systemCode } from '../core/errors.js';
import { memoryDirectory } from './stat-fields.js';

/** The thread that was found may end before its file is read, and the next one too. */
const MOST_TRIES = 4;

/**
 * Reads a file of /proc/PID that needs the memory of a process: maps, smaps, cmdline, environ, ... If the main thread has
 * ended and others live, that file is empty or refused (ESRCH), and the one of a living thread is read instead. Costs
 * nothing more while there is something to read.
 *
 * A descriptor that is kept must be opened in `memoryDirectory`: in the directory of an ended main thread, clear_refs
 * opens and takes what is written to it without doing anything, and older kernels open a pagemap that stays empty.
 *
 * @param read reads the whole file; an empty string or 0 for nothing
 * @throws the system's error
 */
export function readMemoryFile<T extends string | number>(
  pid: number,
  name: string,
  read: (path: string) => T,
): T {
  const own = `/proc/${pid}`;
  let directory = own;
  for (let tries = 1; ; tries++) {
    let nothing: T | undefined;
    let failure: unknown;
    try {
      nothing = read(`${directory}/${name}`);
      if (nothing) return nothing;
    } catch (error) {
      const code = systemCode(error);
      if (code !== 'ESRCH' && (code !== 'ENOENT' || directory === own)) throw error;
      failure = error;
    }
    const before = directory;
    directory = memoryDirectory(pid);
    if (directory !== before && tries < MOST_TRIES) continue;
    if (nothing === undefined) throw failure;
    return nothing;
  }
}

export function readTextFile(path: string): string {
  return readFileSync(path, 'utf8');
}
