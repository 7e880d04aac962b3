import { systemCode } from '../core/errors.js';
import { memoryDirectory } from './stat.js';
import { type Head, LIMITS, type ProcessFile, readHead, readPieces } from './text-file.js';

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
 * @param read begins to read the file; undefined for nothing
 */
function readMemoryFile<T>(
  pid: number,
  name: ProcessFile,
  read: (path: string, limitBytes: number) => T | undefined,
): T | undefined {
  const own = `/proc/${pid}`;
  let directory = own;
  for (let tries = 1; ; tries++) {
    let failure: unknown;
    try {
      const found = read(`${directory}/${name}`, LIMITS[name]);
      if (found) return found;
    } catch (error) {
      const code = systemCode(error);
      if (code !== 'ESRCH' && (code !== 'ENOENT' || directory === own)) throw error;
      failure = error;
    }
    const before = directory;
    directory = memoryDirectory(pid);
    if (directory !== before && tries < MOST_TRIES) continue;
    if (failure) throw failure;
    return undefined;
  }
}

/**
 * The first bytes of such a file, up to its limit.
 *
 * @throws the system's error
 */
export function readMemoryHead(pid: number, name: ProcessFile): Head {
  const read = (path: string, limitBytes: number) => {
    const head = readHead(path, limitBytes);
    return head.text === '' ? undefined : head;
  };
  return readMemoryFile(pid, name, read) ?? { text: '', isCut: false };
}

/**
 * Such a file in pieces of whole lines, as `readPieces` has them; none if the process has no memory.
 *
 * @throws the system's error, FileTooLong
 */
export function* readMemoryPieces(pid: number, name: ProcessFile, end?: number): Generator<Buffer, void> {
  const begun = readMemoryFile(pid, name, (path, limitBytes) => {
    const pieces = readPieces(path, limitBytes, end);
    const { value } = pieces.next();
    return value && { first: value, pieces };
  });
  if (!begun) return;
  try {
    yield begun.first;
    yield* begun.pieces;
  } finally {
    begun.pieces.return();
  }
}
