import type { Mapping } from './mapping.js';
import { readMemoryFile, readTextFile } from './memory-file.js';
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
 *
 * @throws PagepulseError `NO_PROCESS`, `PERMISSION`
 */
export function readMappings(pid: number): Mapping[] {
  return parseMappings(readMapsText(pid), pageSize());
}

const LINE = /^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \d+ *(.*)$/gm;

export function parseMappings(text: string, bytesPerPage: number): Mapping[] {
  return Array.from(text.matchAll(LINE), ([, start, end, permissions, name]) => ({
    startPage: Number.parseInt(start!, 16) / bytesPerPage,
    endPage: Number.parseInt(end!, 16) / bytesPerPage,
    permissions: permissions!,
    name: name!,
  })).filter((mapping) => mapping.name !== '[vsyscall]');
}

/**
 * The file as it is: whoever looks often need not take it apart where it has not changed.
 *
 * @throws PagepulseError `NO_PROCESS`, `PERMISSION`
 */
export function readMapsText(pid: number): string {
  try {
    return readMemoryFile(pid, 'maps', readTextFile);
  } catch (error) {
    throw processError(error, pid, `read the mappings of process ${pid}`);
  }
}
