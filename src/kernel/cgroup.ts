import { existsSync, readdirSync } from 'node:fs';
import { memoryDirectory } from './stat-fields.js';
import { LIMITS, readTextFile } from './text-file.js';

export const CGROUP_ROOT = '/sys/fs/cgroup';

/**
 * The text of /proc/PID/cgroup (cgroups(7)): a line `id:controllers:path` for each hierarchy. Readable by everyone. Of
 * version 2 there is one, `0::/path`; of version 1 one for each set of controllers, `4:memory:/path`, and named ones such
 * as `1:name=systemd:/path`. Paths are seen from our own cgroup namespace, so from inside a container those of others
 * begin with `/..`. A cgroup that was removed while the process lives is followed by ` (deleted)`.
 *
 * @returns empty where the process has ended, and on a kernel without cgroups
 */
export function readCgroups(pid: number): string {
  try {
    return readCgroupText(pid);
  } catch {
    return '';
  }
}

/** A version 1 line with the root path, which /proc shows for a task that ends: also for a main thread whose process lives on. */
const ROOT_OF_V1 = /(?:^|\n)[1-9]\d*:[^:\n]*:\/(?:\n|$)/;

/**
 * The file as it is, of a thread that lives where the main thread has ended.
 *
 * @throws the system's error
 */
export function readCgroupText(pid: number): string {
  const text = readTextFile(`/proc/${pid}/cgroup`, LIMITS.cgroup);
  return ROOT_OF_V1.test(text) ? readTextFile(`${memoryDirectory(pid)}/cgroup`, LIMITS.cgroup) : text;
}

/** Controllers and path of each line; both may hold any character but a line feed, and the path also colons. */
export function cgroupLines(text: string): [controllers: string, path: string][] {
  return text.split('\n').flatMap((line) => {
    const [, controllers, path] = /^\d+:([^:]*):([\s\S]*)$/.exec(line) ?? [];
    return path === undefined ? [] : [[controllers!, path]];
  });
}

/**
 * Whether there is such a cgroup now: in version 2 or, in version 1, in any hierarchy. True where /sys/fs/cgroup is not
 * mounted: nobody can tell.
 *
 * @param path without /sys/fs/cgroup, beginning with a slash
 */
export function cgroupExists(path: string): boolean {
  if (existsSync(CGROUP_ROOT + path)) return true;
  try {
    return readdirSync(CGROUP_ROOT).some((hierarchy) => existsSync(`${CGROUP_ROOT}/${hierarchy}${path}`));
  } catch {
    return true;
  }
}
