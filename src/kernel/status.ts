import { isEndedState, memoryDirectory } from './stat.js';
import { attempt, fieldOf, LIMITS, readTextFile } from './text-file.js';

/**
 * /proc/PID/status (proc(5)): a line `Name:\tvalue` each. Readable by all users; some 30 us. If the main thread has ended,
 * it says of user and memory what was before, and a living thread's is read. Undefined if the process has ended.
 */
function readStatus(pid: number): string | undefined {
  return attempt(() => {
    const text = readTextFile(`/proc/${pid}/status`, LIMITS.status);
    if (!isEndedState(fieldOf(text, 'State')?.charCodeAt(0) ?? 0)) return text;
    return readTextFile(`${memoryDirectory(pid)}/status`, LIMITS.status);
  });
}

/**
 * The effective user of a process, from the line `Uid:`: real, effective, saved and file system user. The owner of the
 * folder /proc/PID would be cheaper, but is root for every process that changed its user and is therefore not dumpable, as
 * most services are.
 *
 * @returns undefined if the process has ended
 */
export function readEffectiveUid(pid: number): number | undefined {
  const uid = fieldOf(readStatus(pid) ?? '', 'Uid')?.split('\t')[1];
  return uid === undefined ? undefined : Number(uid);
}

/**
 * Resident memory of a process, in bytes: `VmRSS`, and `HugetlbPages`, which no other sum of the kernel counts as resident.
 *
 * @returns undefined if the process has ended or has no memory
 */
export function readResidentBytes(pid: number): number | undefined {
  const text = readStatus(pid) ?? '';
  const kib = (name: string) => Number.parseInt(fieldOf(text, name) ?? '', 10);
  const rssKib = kib('VmRSS');
  return Number.isNaN(rssKib) ? undefined : (rssKib + (kib('HugetlbPages') || 0)) * 1_024;
}
