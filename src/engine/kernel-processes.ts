import { readCgroups } from '../kernel/cgroup.js';
import { environHolds } from '../kernel/environ.js';
import { readForkCount } from '../kernel/fork-count.js';
import { readTitle } from '../kernel/stat.js';
import { listPids, StatFields } from '../kernel/stat-fields.js';
import { readEffectiveUid } from '../kernel/status.js';
import type { ProcessSource } from '../processes/proc-walk.js';

/** The processes of this machine, as /proc shows them. */
export function kernelProcesses(): ProcessSource {
  const fields = new StatFields();
  return {
    ownPid: process.pid,
    pids: listPids,
    read: (pid) => fields.read(pid),
    fields,
    cmdline(pid) {
      try {
        return readTitle(pid);
      } catch {
        return ''; // it has ended, or may not be seen
      }
    },
    uid: readEffectiveUid,
    cgroup: readCgroups,
    environHolds,
    forks: readForkCount,
  };
}
