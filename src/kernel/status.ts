import { readFileSync } from 'node:fs';

/**
 * The effective user of a process, from the line `Uid:` of /proc/PID/status (proc(5)): real, effective, saved and file
 * system user. Readable by everyone. The owner of the folder /proc/PID would be cheaper to ask for, but is root for every
 * process that changed its user and is therefore not dumpable, as most services are.
 *
 * @returns undefined where the process has ended
 */
export function readEffectiveUid(pid: number): number | undefined {
  try {
    const uid = /^Uid:\s+\d+\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return uid === undefined ? undefined : Number(uid);
  } catch {
    return undefined;
  }
}
