import { readdirSync } from 'node:fs';
import { attempt, parseDecimal, readPieces, readTextFile, SYSTEM_FILE_LIMIT } from './text-file.js';

/** PIDs of all processes that /proc shows, ascending; other users' are hidden if it is mounted with hidepid. */
export function listPids(): number[] {
  const pids: number[] = [];
  for (const name of readdirSync('/proc')) {
    const first = name.charCodeAt(0);
    if (first >= 0x30 && first <= 0x39) pids.push(Number(name));
  }
  return pids;
}

const PROCESSES = Buffer.from('processes ');

/**
 * Forks since boot: the line `processes` of /proc/stat (proc(5)). It counts processes and threads, of the whole machine,
 * also from inside a container. Costs some 50 us, more on machines with many interrupts.
 *
 * @returns NaN if the kernel does not say
 */
export function readForkCount(): number {
  const forks = attempt(() => {
    for (const lines of readPieces('/proc/stat', SYSTEM_FILE_LIMIT)) {
      const at = lines.indexOf(PROCESSES);
      if (at >= 0) return parseDecimal(lines, at + PROCESSES.length);
    }
    return undefined;
  });
  return forks ?? Number.NaN;
}

/** The note for a /proc that hides processes. */
export const HIDES_PROCESSES =
  "/proc is mounted with hidepid, so other users' processes are hidden; run as root to see them";

/**
 * Whether /proc hides the processes of other users from this one: its mount option `hidepid` (proc(5)), which spares root
 * and the group in the option `gid`. False if that is unknown.
 */
export function hidesProcesses(): boolean {
  if (process.geteuid?.() === 0) return false;
  const mounts = attempt(() => readTextFile('/proc/self/mountinfo', SYSTEM_FILE_LIMIT)) ?? '';
  const gid = hidingMount(mounts);
  return gid !== undefined && process.getegid?.() !== gid && !process.getgroups?.().includes(gid);
}

/**
 * The group that sees all processes if /proc is mounted with hidepid, NaN for none; undefined without hidepid. Lines as
 * in `36 35 0:5 / /proc rw,nosuid shared:1 - proc proc rw,gid=4,hidepid=invisible`, a number before Linux 5.8; of
 * several mounts the last one counts.
 */
export function hidingMount(text: string): number | undefined {
  let found: number | undefined;
  for (const line of text.split('\n')) {
    const fields = line.split(' ');
    const [type, , options] = fields.slice(fields.indexOf('-', 6) + 1);
    if (fields[4] !== '/proc' || type !== 'proc' || options === undefined) continue;
    const optionOf = (name: string) =>
      options
        .split(',')
        .find((each) => each.startsWith(`${name}=`))
        ?.slice(name.length + 1);
    const isHiding = !['0', 'off', undefined].includes(optionOf('hidepid'));
    found = isHiding ? Number(optionOf('gid') ?? Number.NaN) : undefined;
  }
  return found;
}
