import { existsSync, readdirSync } from 'node:fs';
import { processError } from './process-errors.js';
import { memoryDirectory } from './stat.js';
import { attempt, LIMITS, readTextFile } from './text-file.js';

export const CGROUP_ROOT = '/sys/fs/cgroup';

/** A line of /proc/PID/cgroup: a hierarchy, and where in it the process is. */
export interface CgroupLine {
  /** Of version 1 its controllers, as in `cpu,cpuacct`, or its name, as in `name=systemd`; empty for version 2. */
  readonly controllers: string;
  /** Begins with a slash, and may hold any character but a line feed. */
  readonly path: string;
}

/** A version 1 line with the root path, which /proc shows for a task that ends: also for a main thread whose process lives on. */
const ROOT_OF_V1 = /(?:^|\n)[1-9]\d*:[^:\n]*:\/(?:\n|$)/;

/**
 * /proc/PID/cgroup (cgroups(7)): a line `id:controllers:path` for each hierarchy. Readable by all users. Of version 2
 * there is one, `0::/path`; of version 1 one for each set of controllers, `4:memory:/path`, and named ones such as
 * `1:name=systemd:/path`. Empty on a kernel without cgroups.
 *
 * Surprises: paths are seen from our own cgroup namespace, so from inside a container those of others begin with `/..`. A
 * cgroup that was removed while the process lives is followed by ` (deleted)`. Of a main thread that has ended, the file
 * says `/`; then that of a living thread is read.
 *
 * @throws PagepulseError `NO_PROCESS`, `PERMISSION` (hidepid)
 */
export function readCgroupText(pid: number): string {
  try {
    const text = readTextFile(`/proc/${pid}/cgroup`, LIMITS.cgroup);
    return ROOT_OF_V1.test(text) ? readTextFile(`${memoryDirectory(pid)}/cgroup`, LIMITS.cgroup) : text;
  } catch (error) {
    throw processError(error, pid, `read the control group of process ${pid}`);
  }
}

export function cgroupLines(text: string): CgroupLine[] {
  return text.split('\n').flatMap((line) => {
    const [, controllers, path] = /^\d+:([^:]*):([\s\S]*)$/.exec(line) ?? [];
    return path === undefined ? [] : [{ controllers: controllers!, path }];
  });
}

/**
 * The control group of a process, as a path from the root of its hierarchy: `/system.slice/nginx.service`. Where version 1
 * is mounted too, version 2 may hold nothing and say `/`; then the hierarchy of the memory controller says more, and after
 * it the one of systemd.
 *
 * @param text of /proc/PID/cgroup
 */
export function parseCgroup(text: string): string {
  const pathByController = new Map<string, string>();
  for (const { controllers, path } of cgroupLines(text)) {
    for (const controller of controllers.split(',')) pathByController.set(controller, path);
  }
  const paths = ['', 'memory', 'name=systemd'].map((name) => pathByController.get(name));
  return paths.find((path) => path !== undefined && path !== '/') ?? '/';
}

/**
 * Whether a cgroup exists now: in version 2 or, in version 1, in any hierarchy. True if it is unknown, since /sys/fs/cgroup
 * is not mounted.
 *
 * @param path without /sys/fs/cgroup, beginning with a slash
 */
export function cgroupExists(path: string): boolean {
  if (existsSync(CGROUP_ROOT + path)) return true;
  const hierarchies = attempt(() => readdirSync(CGROUP_ROOT));
  return hierarchies?.some((hierarchy) => existsSync(`${CGROUP_ROOT}/${hierarchy}${path}`)) ?? true;
}
