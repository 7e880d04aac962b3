import { readdirSync } from 'node:fs';
import { pageSize } from './page-size.js';
import { readTextFile, SYSTEM_FILE_LIMIT } from './text-file.js';

/** The soft limit in /proc/self/limits (getrlimit(2)); Infinity if there is none, or none can be read. */
function limitOf(name: string): number {
  try {
    const soft = new RegExp(`\\n${name} +(\\d+)`).exec(
      readTextFile('/proc/self/limits', SYSTEM_FILE_LIMIT),
    )?.[1];
    return Number(soft ?? Number.POSITIVE_INFINITY);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
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
  return {
    limit,
    used: Number.parseInt(readTextFile('/proc/self/statm', SYSTEM_FILE_LIMIT), 10) * pageSize(),
  };
}
