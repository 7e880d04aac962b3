import { readTextFile, SYSTEM_FILE_LIMIT } from './text-file.js';

/** What is said where /proc hides processes. */
export const HIDES_PROCESSES =
  "/proc is mounted with hidepid, so other users' processes are hidden; run as root to see them";

/**
 * Whether /proc hides the processes of other users from this one: its mount option `hidepid` (proc(5)), which neither
 * root nor the group in the option `gid` is subject to. False where that cannot be told.
 */
export function hidesProcesses(): boolean {
  if (process.geteuid?.() === 0) return false;
  try {
    const gid = hidingMount(readTextFile('/proc/self/mountinfo', SYSTEM_FILE_LIMIT));
    return gid !== undefined && process.getegid?.() !== gid && !process.getgroups?.().includes(gid);
  } catch {
    return false;
  }
}

/**
 * The group that sees all processes where /proc is mounted with hidepid, NaN for none; undefined without hidepid. Lines as
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
