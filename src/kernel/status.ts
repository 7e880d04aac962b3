import { readTextFile } from './memory-file.js';
import { memoryDirectory } from './stat-fields.js';

/**
 * The effective user of a process, from the line `Uid:` of /proc/PID/status (proc(5)): real, effective, saved and file
 * system user. Readable by everyone. The owner of the folder /proc/PID would be cheaper to ask for, but is root for every
 * process that changed its user and is therefore not dumpable, as most services are.
 *
 * @returns undefined where the process has ended
 */
export function readEffectiveUid(pid: number): number | undefined {
  try {
    let text = readTextFile(`/proc/${pid}/status`);
    // Of a main thread that has ended, it keeps the user that the process had then.
    if (/^State:\s+[ZX]/m.test(text)) text = readTextFile(`${memoryDirectory(pid)}/status`);
    const uid = /^Uid:\s+\d+\s+(\d+)/m.exec(text)?.[1];
    return uid === undefined ? undefined : Number(uid);
  } catch {
    return undefined;
  }
}
