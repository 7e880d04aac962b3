import type { Mapping } from './mapping.js';
import { readMemoryPieces } from './memory-file.js';
import { pageSize } from './page-size.js';
import { processError } from './process-errors.js';

/**
 * /proc/PID/maps (proc(5), Documentation/filesystems/proc.rst): a line a mapping, in address order,
 *
 *     55d0c0a00000-55d0c0a21000 rw-p 00000000 00:00 0      [heap]
 *
 * Readable by the process's own user and by root (ptrace access). Surprises: the file is made page by page
 * while it is read, so a process that maps in between can show a range twice or not at all; file names may
 * hold spaces, and line feeds as `\012`; it is empty for kernel threads, zombies and a process that is just
 * replacing itself (exec), and for a main thread that has ended (memory-file.ts). `[vsyscall]` is in every process's list and in no process's memory.
 * A name may hold any other character, also those that elsewhere end a line.
 *
 * @throws PagepulseError `NO_PROCESS`, `PERMISSION`, `TOO_LARGE`
 */
export function readMappings(pid: number): Mapping[] {
  const reading = readingMappings(pid);
  for (;;) {
    const { done, value } = reading.next();
    if (done) return value;
  }
}

/** The same with a pause after each piece, for `inSlices`. */
export function* readingMappings(pid: number): Generator<void, Mapping[]> {
  const mappings: Mapping[] = [];
  for (const lines of mapsPieces(pid)) {
    for (const mapping of parseMappings(lines.toString(), pageSize())) mappings.push(mapping);
    yield;
  }
  return mappings;
}

/** The file in pieces of whole lines, each valid until the next one. */
export function* mapsPieces(pid: number): Generator<Buffer, void> {
  try {
    yield* readMemoryPieces(pid, 'maps');
  } catch (error) {
    throw processError(error, pid, `read the mappings of process ${pid}`);
  }
}

const LINE = /^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \d+ *([\s\S]*)$/;

/** @param text whole lines */
export function parseMappings(text: string, bytesPerPage: number): Mapping[] {
  const mappings: Mapping[] = [];
  for (const line of text.split('\n')) {
    const [, start, end, permissions, name] = LINE.exec(line) ?? [];
    if (start === undefined || name === '[vsyscall]') continue;
    mappings.push({
      startPage: Number.parseInt(start, 16) / bytesPerPage,
      endPage: Number.parseInt(end!, 16) / bytesPerPage,
      permissions: permissions!,
      name: name!,
    });
  }
  return mappings;
}
