import { readdirSync } from 'node:fs';
import { pageSize } from './page-size.js';
import { attempt, readTextFile, SYSTEM_FILE_LIMIT } from './text-file.js';

/** The soft limit in /proc/self/limits (getrlimit(2)); Infinity if there is none, or none can be read. */
function limitOf(name: string): number {
  const text = attempt(() => readTextFile('/proc/self/limits', SYSTEM_FILE_LIMIT)) ?? '';
  return Number(new RegExp(`\\n${name} +(\\d+)`).exec(text)?.[1] ?? Number.POSITIVE_INFINITY);
}

/**
 * Descriptors that this process may still open (RLIMIT_NOFILE); Infinity if there is no limit. Node raises the soft limit to
 * the hard one when it starts, so that is `ulimit -Hn` of the shell.
 */
export function freeDescriptors(): number {
  const limit = limitOf('Max open files');
  return limit === Number.POSITIVE_INFINITY ? limit : limit - readdirSync('/proc/self/fd').length;
}

/** Bytes of address space that this process may have (RLIMIT_AS, `ulimit -v`), and has. */
export function addressSpace(): { limit: number; used: number } {
  const limit = limitOf('Max address space');
  if (limit === Number.POSITIVE_INFINITY) return { limit, used: 0 };
  const pages = Number.parseInt(readTextFile('/proc/self/statm', SYSTEM_FILE_LIMIT), 10);
  return { limit, used: pages * pageSize() };
}
