import { cgroupLines, readCgroupText } from './cgroup.js';
import { processError } from './process-errors.js';

/**
 * The control group of a process, as a path from the root of its hierarchy: `/system.slice/nginx.service`.
 *
 * @throws PagepulseError `NO_PROCESS`, `PERMISSION` (hidepid)
 */
export function readCgroup(pid: number): string {
  try {
    return parseCgroup(readCgroupText(pid));
  } catch (error) {
    throw processError(error, pid, `read the control group of process ${pid}`);
  }
}

/**
 * Takes the path from /proc/PID/cgroup (cgroups(7)): a line `ID:CONTROLLERS:PATH` for each hierarchy, of which 0 with
 * no controllers is that of version 2. Where version 1 is mounted too, that one may hold nothing and say `/`; the
 * hierarchy of the memory controller tells more then, and after it the one of systemd.
 */
export function parseCgroup(text: string): string {
  const pathByControllers = new Map<string, string>();
  for (const [controllers, path] of cgroupLines(text)) {
    for (const controller of controllers.split(',')) pathByControllers.set(controller, path);
  }
  const paths = ['', 'memory', 'name=systemd'].map((name) => pathByControllers.get(name));
  return paths.find((path) => path !== undefined && path !== '/') ?? '/';
}
