import { isEndedState, memoryDirectory } from './stat.js';
import { fieldOf, LIMITS, readTextFile } from './text-file.js';

/**
 * The effective user of a process, from the line `Uid:` of /proc/PID/status (proc(5)): real, effective, saved and file
 * system user. Readable by everyone. The owner of the folder /proc/PID would be cheaper to ask for, but is root for every
 * process that changed its user and is therefore not dumpable, as most services are.
 *
 * @returns undefined where the process has ended
 */
export function readEffectiveUid(pid: number): number | undefined {
  try {
    const uid = fieldOf(readStatus(pid), 'Uid')?.split('\t')[1];
    return uid === undefined ? undefined : Number(uid);
  } catch {
    return undefined;
  }
}

/**
 * Resident memory of a process, in bytes: `VmRSS` of /proc/PID/status, and `HugetlbPages`, which no other sum of the kernel
 * counts as resident. Readable by everyone; some 30 us.
 *
 * @returns undefined if the process has ended or has no memory
 */
export function readResidentBytes(pid: number): number | undefined {
  try {
    const text = readStatus(pid);
    const kib = (name: string) => Number.parseInt(fieldOf(text, name) ?? '', 10);
    const rssKib = kib('VmRSS');
    return Number.isNaN(rssKib) ? undefined : (rssKib + (kib('HugetlbPages') || 0)) * 1_024;
  } catch {
    return undefined;
  }
}

/** Of a living thread, if the main thread has ended: what it says of user and memory is from before. */
function readStatus(pid: number): string {
  const text = readTextFile(`/proc/${pid}/status`, LIMITS.status);
  if (!isEndedState(fieldOf(text, 'State')?.charCodeAt(0) ?? 0)) return text;
  return readTextFile(`${memoryDirectory(pid)}/status`, LIMITS.status);
}
