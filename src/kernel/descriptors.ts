import { readdirSync, readFileSync } from 'node:fs';

/**
 * Descriptors that this process may still open: the soft limit in /proc/self/limits (getrlimit(2), RLIMIT_NOFILE) without
 * those that are open. Node raises the soft limit to the hard one when it starts, so that is `ulimit -Hn` of the shell.
 *
 * @returns Infinity where there is no limit, or none can be read
 */
export function freeDescriptors(): number {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft) - readdirSync('/proc/self/fd').length;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
