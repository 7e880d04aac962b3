import { opendirSync, readlinkSync } from 'node:fs';
import { attempt, LIMITS, readTextFile } from './text-file.js';

/** Descriptors read of one process, and in all: one process with very many must not make a search expensive. */
const MOST_OF_PROCESS = 4_096;
const MOST_IN_ALL = 200_000;

/** A process and the wanted files that it has open. */
export interface Opener {
  readonly pid: number;
  readonly comm: string;
  readonly paths: ReadonlySet<string>;
}

/**
 * Finds other processes that have certain files open, by the links in /proc/PID/fd (proc(5)). Only root (or
 * CAP_SYS_PTRACE) can read those of other users' processes; otherwise these are left out. Links are read and never
 * followed: a file may lie in a file system that never answers. Some 2 us a descriptor.
 *
 * @param isWanted called for each descriptor with the path that its link names and the process
 * @param turn called after each process, so that the caller can let the event loop run
 */
export async function findOpeners(
  isWanted: (path: string, pid: string) => boolean,
  turn: () => Promise<void> | undefined,
): Promise<Opener[]> {
  const openers: Opener[] = [];
  let left = MOST_IN_ALL;
  for (const name of namesIn('/proc', Number.POSITIVE_INFINITY)) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue;
    const paths = new Set<string>();
    for (const descriptor of namesIn(`/proc/${name}/fd`, Math.min(left, MOST_OF_PROCESS))) {
      left--;
      const path = attempt(() => readlinkSync(`/proc/${name}/fd/${descriptor}`));
      if (path !== undefined && isWanted(path, name)) paths.add(path);
    }
    if (paths.size > 0) openers.push({ pid: Number(name), comm: commOf(name), paths });
    if (left === 0) break;
    await turn();
  }
  return openers;
}

/** Names in a folder, read one by one since there may be a million; none if it may not be read. */
function* namesIn(path: string, most: number): Generator<string> {
  const folder = attempt(() => opendirSync(path));
  if (!folder) return;
  try {
    for (let i = 0; i < most; i++) {
      const entry = attempt(() => folder.readSync());
      if (!entry) return;
      yield entry.name;
    }
  } finally {
    folder.closeSync();
  }
}

/** Processes of one PID namespace have the same numbers in /proc. */
export function pidNamespaceOf(pid: string): string | undefined {
  return attempt(() => readlinkSync(`/proc/${pid}/ns/pid`));
}

export function commOf(pid: string): string {
  return attempt(() => readTextFile(`/proc/${pid}/comm`, LIMITS.stat).replace(/\n$/, '')) ?? '';
}
