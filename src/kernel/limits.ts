import { readdirSync, readFileSync } from 'node:fs';
import { pageSize } from './page-size.js';

/** The soft limit in /proc/self/limits (getrlimit(2)); Infinity if there is none, or none can be read. */
function limitOf(name: string): number {
  try {
    const soft = new RegExp(`^${name}\\s+(\\d+)`, 'm').exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
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
  return { limit, used: Number.parseInt(readFileSync('/proc/self/statm', 'latin1'), 10) * pageSize() };
}
